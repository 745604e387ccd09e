#include "tests/vm/workload/report.hpp"

#include <array>
#include <charconv>
#include <utility>

namespace cgtide::workload {
namespace {

/// Appends `"name":value` after a comma. to_chars writes the same bytes in every locale.
class Line {
public:
    explicit Line(std::string_view event) : text_("{\"event\":\"" + std::string(event) + '"') {}

    void number(std::string_view name, std::uint64_t value) {
        key(name);
        text_ += std::to_string(value);
    }

    void seconds(std::string_view name, double value) {
        std::array<char, 64> digits{};
        const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value,
                                       std::chars_format::fixed, 6)
                             .ptr;
        key(name);
        text_.append(digits.data(), end);
    }

    void residency(const std::string& name, const Residency& value) {
        number(name + "_bytes", value.size.count);
        number(name + "_resident", value.resident.count);
    }

    void list(std::string_view name, const std::vector<Bytes>& values) {
        key(name);
        text_ += '[';
        for (std::size_t i = 0; i < values.size(); ++i) {
            text_ += (i > 0 ? "," : "") + std::to_string(values[i].count);
        }
        text_ += ']';
    }

    std::string end() && { return std::move(text_) + "}\n"; }

private:
    void key(std::string_view name) {
        text_ += ",\"";
        text_ += name;
        text_ += "\":";
    }

    std::string text_;
};

} // namespace

std::string format_event(std::string_view event, const Sample& sample) {
    Line line(event);
    line.seconds("t", sample.t);
    line.residency("hot", sample.hot);
    line.residency("cold", sample.cold);
    line.residency("file_hot", sample.file_hot);
    line.residency("file_cold", sample.file_cold);
    line.number("passes", sample.passes);
    line.seconds("pass_t", sample.pass_t);
    line.seconds("pass_cpu_s", sample.pass_cpu_s);
    line.seconds("cpu_s", sample.cpu_s);
    line.number("majflt", sample.majflt);
    line.number("minflt", sample.minflt);
    line.number("phase", sample.phase);
    if (sample.nodes) {
        line.list("hot_nodes", sample.nodes->hot);
        line.list("cold_nodes", sample.nodes->cold);
        line.number("moved_bytes", sample.nodes->moved.count);
        line.number("thrash_bytes", sample.nodes->thrashed.count);
    }
    return std::move(line).end();
}

} // namespace cgtide::workload
