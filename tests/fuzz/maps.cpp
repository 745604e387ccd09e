#include "cgroup/parse/maps.hpp"

#include "tests/fuzz/check.hpp"

#include <algorithm>

using cgtide::fuzz::check;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace cgtide::cgroup;
    const std::string_view text = cgtide::fuzz::as_text(data, size);

    if (const auto maps = parse_maps(text)) {
        std::uint64_t before = 0;
        for (const Mapping& mapping : *maps) {
            check(mapping.start >= before && mapping.start < mapping.end);
            check(mapping.name.empty() ||
                  (mapping.name.data() >= text.data() &&
                   mapping.name.data() + mapping.name.size() <= text.data() + text.size()));
            check(mapping.name.find('\n') == std::string_view::npos);
            before = mapping.end;
        }
        const auto lines = std::count(text.begin(), text.end(), '\n');
        check(maps->size() <= static_cast<std::size_t>(lines) + 1);
        check(maps->empty() || !parse_maps(text, 0) || lines == 0);
    }
    (void)parse_statm(text);
    return 0;
}
