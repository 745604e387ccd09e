#include "cgroup/node.hpp"

#include <fcntl.h>

namespace cgtide::cgroup {

Result<NodeReader> NodeReader::open(const Dir& proc) {
    return proc.file("meminfo", O_RDONLY).map([](UniqueFd&& fd) {
        return NodeReader(std::move(fd));
    });
}

Result<MemInfo> NodeReader::read() {
    return read_again(meminfo_.get(), buffer_, "meminfo").and_then([this] {
        return parse_meminfo(buffer_);
    });
}

} // namespace cgtide::cgroup
