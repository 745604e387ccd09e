#include "engine/damon/libbpf_log.hpp"

#include <array>
#include <cstdarg>
#include <cstdio>
#include <string_view>

#include <bpf/libbpf.h>

namespace cgtide::damon {

namespace {

thread_local std::string* sink = nullptr;

int keep(libbpf_print_level level, const char* format, va_list arguments) {
    if (sink == nullptr || level != LIBBPF_WARN) {
        return 0;
    }
    std::array<char, LibbpfLog::kMaxText> line{}; // what is longer is cut
    std::vsnprintf(line.data(), line.size(), format, arguments);
    *sink += line.data();
    if (sink->size() > LibbpfLog::kMaxText) {
        sink->erase(0, sink->size() - LibbpfLog::kMaxText);
    }
    return 0;
}

} // namespace

LibbpfLog::LibbpfLog() {
    libbpf_set_print(keep);
    sink = &raw_;
}

LibbpfLog::~LibbpfLog() {
    sink = nullptr;
}

std::string LibbpfLog::text() const {
    std::string line;
    std::string_view rest = raw_;
    while (!rest.empty()) {
        const auto end = rest.find('\n');
        const auto part = rest.substr(0, end);
        if (!part.empty()) {
            line += line.empty() ? "" : "; ";
            line += part;
        }
        rest = end == std::string_view::npos ? "" : rest.substr(end + 1);
    }
    return line;
}

} // namespace cgtide::damon
