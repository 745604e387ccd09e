#include "tests/vm/layout/truth.hpp"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

namespace cgtide::layout {
namespace {

struct Part {
    std::int64_t used_ns = 0;
    std::uint64_t bytes = 0;
};

/// What is used of a huge page is all of it: it has one accessed bit, and leaves memory as a whole.
std::vector<Part> parts_of(const Spec& spec, const Truth& truth) {
    const std::uint64_t present = truth.present;
    if (spec.kind != Kind::thp) {
        return {{truth.used_ns, present}};
    }
    constexpr std::uint64_t kHuge = 2U << 20U;
    const std::uint64_t huge = std::min<std::uint64_t>(truth.huge, present);
    const std::uint64_t single = (present - huge) / kHuge * workload::kPageBytes;
    return {{truth.used_ns, huge + single}, {truth.filled_ns, present - huge - single}};
}

bool is_file(Kind kind) {
    return kind == Kind::file || kind == Kind::read || kind == Kind::borrowed || kind == Kind::shm;
}

std::string in_ms(std::int64_t time_ns) {
    return std::to_string(time_ns / 1'000'000);
}

std::string format_part(const Spec& spec, std::size_t segment, const Part& part) {
    std::string text = R"({"segment":)" + std::to_string(segment);
    text += R"(,"kind":")" + std::string(to_string(spec.kind));
    text += R"(","file":)" + std::string(is_file(spec.kind) ? "true" : "false");
    text += R"(,"charged":)" + std::string(spec.kind == Kind::borrowed ? "false" : "true");
    text += R"(,"path":")" + spec.path;
    text += R"(","used_ms":)" + in_ms(part.used_ns);
    return text + R"(,"bytes":)" + std::to_string(part.bytes) + '}';
}

} // namespace

Result<TruthTable> TruthTable::make(std::size_t count) {
    const std::size_t page = workload::kPageBytes;
    auto memory = workload::Mapping::shared({(count * sizeof(Truth) + page - 1) / page * page});
    if (!memory) {
        return tl::unexpected(memory.error());
    }
    TruthTable table;
    table.memory_ = std::move(*memory);
    auto* const first = reinterpret_cast<Truth*>(table.memory_.bytes().data());
    std::uninitialized_default_construct_n(first, count);
    table.truths_ = {first, count};
    return table;
}

std::string format_line(std::string_view event, Nanoseconds at, std::span<const Spec> specs,
                        const TruthTable& truths) {
    std::string line = R"({"event":")" + std::string(event);
    line += R"(","t_ms":)" + in_ms(at.count()) + R"(,"parts":[)";
    std::string_view comma;
    for (std::size_t i = 0; i < specs.size(); ++i) {
        const Spec& spec = specs[i];
        if (spec.kind == Kind::shared) {
            continue; // told by the one it is
        }
        for (Part part : parts_of(spec, truths[i])) {
            for (std::size_t other = i + 1; other < specs.size(); ++other) {
                if (specs[other].kind == Kind::shared && specs[other].of == i) {
                    part.used_ns = std::max<std::int64_t>(part.used_ns, truths[other].used_ns);
                }
            }
            line += comma;
            line += format_part(spec, i, part);
            comma = ",";
        }
    }
    return line + "]}\n";
}

} // namespace cgtide::layout
