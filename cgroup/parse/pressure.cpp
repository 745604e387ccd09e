#include "cgroup/parse/pressure.hpp"

#include "cgroup/parse/fields.hpp"

#include <cstdint>

namespace cgtide::cgroup {

namespace {

/// The value of `key=value` where `word` has that key; nullopt otherwise.
std::optional<std::string_view> behind(std::string_view word, std::string_view key) {
    if (!word.starts_with(key) || word.size() <= key.size() || word[key.size()] != '=') {
        return std::nullopt;
    }
    return word.substr(key.size() + 1);
}

/// Takes `key=12.34` (percent) off the front of `rest`.
bool take_share(std::string_view& rest, std::string_view key, BasisPoints& share) {
    const auto word = next_word(rest);
    const auto text = word ? behind(*word, key) : std::nullopt;
    const auto percent = text ? to_fraction(*text) : std::nullopt;
    if (!percent || *percent > 100.0) {
        return false;
    }
    share.count = *percent * 100.0;
    return true;
}

bool take_total(std::string_view& rest, Microseconds& total) {
    const auto word = next_word(rest);
    const auto text = word ? behind(*word, "total") : std::nullopt;
    const auto number = text ? to_u64(*text) : std::nullopt;
    if (!number || *number > INT64_MAX) {
        return false;
    }
    total = Microseconds(static_cast<Microseconds::rep>(*number));
    return true;
}

bool take_line(std::string_view rest, PressureLine& line) {
    return take_share(rest, "avg10", line.avg10) && take_share(rest, "avg60", line.avg60) &&
           take_share(rest, "avg300", line.avg300) && take_total(rest, line.total) && rest.empty();
}

} // namespace

Result<Pressure> parse_pressure(std::string_view text) {
    Pressure pressure;
    bool has_some = false;
    while (const auto line = next_line(text)) {
        std::string_view rest = *line;
        const auto kind = next_word(rest);
        const bool some = kind == "some";
        if ((!some && kind != "full") || !take_line(rest, some ? pressure.some : pressure.full)) {
            return malformed("pressure", *line);
        }
        has_some = has_some || some;
    }
    if (!has_some) {
        return fail(Errc::malformed, "pressure", "has no 'some' line");
    }
    return pressure;
}

} // namespace cgtide::cgroup
