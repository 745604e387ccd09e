#include "cgroup/parse/fields.hpp"

namespace cgtide::cgroup {

std::optional<std::string_view> next_word(std::string_view& text) {
    if (text.empty()) {
        return std::nullopt;
    }
    const std::size_t at = text.find(' ');
    const std::string_view word = text.substr(0, at);
    text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
    return word;
}

tl::unexpected<Error> malformed(std::string_view op, std::string_view line) {
    return fail(Errc::malformed, op, "line '" + printable(line, 80) + "'");
}

} // namespace cgtide::cgroup
