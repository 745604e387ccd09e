#include "cgroup/base/units.hpp"

#include "tests/fuzz/check.hpp"

#include <string>

using cgtide::fuzz::check;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace cgtide;
    const std::string_view text = fuzz::as_text(data, size);

    if (const auto bytes = parse_bytes(text)) {
        check(bytes->count < (1ULL << 63U));
        // 53 bits are what a number with a fraction keeps.
        if (bytes->count < (1ULL << 53U)) {
            const auto again = parse_bytes(std::to_string(bytes->count));
            check(again && *again == *bytes);
        }
        check(format_bytes(*bytes).find('e') == std::string::npos);
    }
    if (const auto share = parse_share(text)) {
        check(share->count >= 0.0 && share->count <= 10000.0);
        check(format_share(*share).ends_with(" %"));
    }
    if (const auto duration = parse_duration(text)) {
        check(duration->count() >= 0);
        const auto again = parse_duration(std::to_string(duration->count()) + "us");
        check(again && *again == *duration);
        const std::string shown = format_duration(*duration);
        check(!shown.empty() && shown.find('e') == std::string::npos);
    }
    return 0;
}
