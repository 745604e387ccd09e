#include "cgroup/parse/memory_stat.hpp"

#include "tests/fuzz/check.hpp"

#include <string>

using cgtide::fuzz::check;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = cgtide::fuzz::as_text(data, size);
    const auto stat = cgtide::cgroup::parse_memory_stat(text);
    const auto more = cgtide::cgroup::parse_memory_stat("new_key x\n" + std::string(text));
    check(stat.has_value() == more.has_value());
    check(!stat || (stat->anon == more->anon && stat->pgscan == more->pgscan));

    if (const auto nodes = cgtide::cgroup::parse_numa_stat(text)) {
        std::string anon = "anon";
        std::string file = "file";
        for (const auto& [node, bytes] : *nodes) {
            anon += " N" + std::to_string(node) + "=" + std::to_string(bytes.anon.count);
            file += " N" + std::to_string(node) + "=" + std::to_string(bytes.file.count);
        }
        const auto again = cgtide::cgroup::parse_numa_stat(anon + "\n" + file + "\n");
        check(again && again->size() == nodes->size());
        for (const auto& [node, bytes] : *nodes) {
            check(again->at(node).anon == bytes.anon && again->at(node).file == bytes.file);
        }
    }
    return 0;
}
