#include "cgroup/base/text.hpp"

#include "tests/fuzz/check.hpp"

#include <algorithm>
#include <array>
#include <string>

using cgtide::fuzz::check;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace cgtide;
    const std::string_view text = fuzz::as_text(data, size);

    const std::string shown = printable(text);
    check(shown.size() <= 253 + 3);
    check(std::none_of(shown.begin(), shown.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 || byte == 0x7F;
    }));

    std::string joined;
    for (const std::string_view part : split(text, ',')) {
        check(part.find(',') == std::string_view::npos);
        joined += part;
        joined += ',';
    }
    joined.pop_back();
    check(joined == text);

    std::string_view rest = text;
    std::size_t taken = 0;
    while (const auto line = next_line(rest)) {
        taken += line->size() + 1;
    }
    check(rest.empty() && taken >= size && taken <= size + 1);

    const std::string_view inner = trim(text);
    check(inner.empty() || (inner.front() != ' ' && inner.back() != '\t'));
    if (const auto number = to_u64(text)) {
        check(to_u64(std::to_string(*number)) == number);
    }
    if (const auto fraction = to_fraction(text)) {
        check(*fraction >= 0.0);
    }
    constexpr std::array<std::string_view, 2> kWords{"reclaim", "stat"};
    (void)nearest(text, kWords);
    return 0;
}
