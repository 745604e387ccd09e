#include "tests/vm/layout/plan.hpp"

#include "cgroup/base/text.hpp"
#include "tests/vm/workload/options.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace cgtide::layout {
namespace {

constexpr std::string_view kOp = "arguments";
constexpr Bytes kMaxSize{std::uint64_t{1} << 32U};

constexpr std::array<std::pair<std::string_view, Kind>, 9> kKinds{{{"anon", Kind::anon},
                                                                   {"thp", Kind::thp},
                                                                   {"sparse", Kind::sparse},
                                                                   {"swapped", Kind::swapped},
                                                                   {"file", Kind::file},
                                                                   {"read", Kind::read},
                                                                   {"shm", Kind::shm},
                                                                   {"borrowed", Kind::borrowed},
                                                                   {"shared", Kind::shared}}};

bool has_path(Kind kind) {
    return kind == Kind::file || kind == Kind::read || kind == Kind::borrowed;
}

tl::unexpected<Error> bad(std::string_view argument, std::string_view why) {
    return fail(Errc::malformed, kOp, std::string(argument) + ": " + std::string(why));
}

Result<Use> parse_use(std::string_view text) {
    constexpr std::string_view kEvery = "every=";
    if (text == "hot") {
        return Use{true, {}};
    }
    if (text == "never") {
        return Use{};
    }
    const auto seconds =
        text.starts_with(kEvery) ? to_u64(text.substr(kEvery.size())) : std::nullopt;
    if (!seconds || *seconds < 2 || *seconds > 3600) {
        return bad(text, "a use is hot, never or every=SECONDS with 2 to 3600");
    }
    return Use{true, std::chrono::seconds(*seconds)};
}

Result<Bytes> parse_size(std::string_view text) {
    auto size = parse_bytes(text);
    if (!size) {
        return size;
    }
    if (size->count == 0 || *size > kMaxSize || size->count % workload::kPageBytes != 0) {
        return bad(text, "a size is a multiple of 4KiB up to 4GiB");
    }
    return size;
}

/// `first` holds the segments of the first process, which a shared one names.
Result<Spec> parse_spec(std::string_view text, const std::vector<Spec>* first) {
    const auto parts = split(text, ':');
    const auto* const kind = std::find_if(kKinds.begin(), kKinds.end(), [&](const auto& entry) {
        return entry.first == parts.front();
    });
    if (kind == kKinds.end()) {
        return bad(text, "no such kind of segment");
    }
    Spec spec;
    spec.kind = kind->second;
    if (parts.size() != (has_path(spec.kind) ? 4U : 3U)) {
        return bad(text, "a segment is KIND:SIZE:USE, of a file KIND:SIZE:USE:PATH");
    }
    const auto use = parse_use(parts[2]);
    if (!use) {
        return tl::unexpected(use.error());
    }
    spec.use = *use;
    if (spec.kind == Kind::shared) {
        const auto number = to_u64(parts[1]);
        if (first == nullptr || !number || *number >= first->size()) {
            return bad(text, "names no segment of the first process");
        }
        const Kind shared = (*first)[*number].kind;
        if (shared != Kind::anon && shared != Kind::shm) {
            return bad(text, "anon and shm alone can be shared");
        }
        spec.of = *number;
        spec.size = (*first)[*number].size;
        return spec;
    }
    const auto size = parse_size(parts[1]);
    if (!size) {
        return tl::unexpected(size.error());
    }
    spec.size = *size;
    if (has_path(spec.kind)) {
        spec.path = parts[3];
    }
    return spec;
}

} // namespace

std::string_view to_string(Kind kind) {
    const auto* const entry = std::find_if(kKinds.begin(), kKinds.end(),
                                           [&](const auto& named) { return named.second == kind; });
    return entry->first;
}

Result<Plan> parse_plan(std::span<const char* const> arguments) {
    Plan plan;
    plan.processes.emplace_back();
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string_view argument = arguments[i];
        if (argument == "--help" || argument == "-h") {
            plan.help = true;
            return plan;
        }
        if (argument == "--report" || argument == "--sample") {
            if (++i == arguments.size()) {
                return bad(argument, "lacks its value");
            }
            if (argument == "--report") {
                plan.report = arguments[i];
                continue;
            }
            const auto time = parse_duration(arguments[i]);
            if (!time || *time < std::chrono::milliseconds(10)) {
                return bad(argument, "wants a time of at least 10ms");
            }
            plan.sample = *time;
            continue;
        }
        if (argument == "fork") {
            plan.processes.emplace_back();
            continue;
        }
        const bool is_first = plan.processes.size() == 1;
        auto spec = parse_spec(argument, is_first ? nullptr : &plan.processes.front());
        if (!spec) {
            return tl::unexpected(spec.error());
        }
        plan.processes.back().push_back(std::move(*spec));
    }
    for (const auto& segments : plan.processes) {
        if (segments.empty()) {
            return fail(Errc::malformed, kOp, "a process has no segments");
        }
    }
    return plan;
}

std::string_view usage() {
    return R"(usage: cgtide-layout [options] SEGMENT... [fork SEGMENT...]...

Makes segments of memory and uses each as told, in one process and a child for each `fork`. Reports
as JSON lines when each was last used, and how much of it is in memory. SIGTERM ends it.

  SEGMENT          KIND:SIZE:USE, of a file KIND:SIZE:USE:PATH
    KIND           anon
                   thp       huge pages; one small page of each is used
                   sparse    runs of 1 to 16 pages, spread over a mapping of 1GiB
                   swapped   pushed out to swap at first
                   file      a file made anew, mapped
                   read      a file made anew, used by read(2) alone, once a second where hot
                   shm       shared memory, which children inherit
                   borrowed  a file that another container has made, mapped
                   shared    SIZE is the number of an anon or shm segment of the first process, from
                             0; it is read
    USE            hot, never, or every=SECONDS: in use for the first second of each such time
  --report FILE    appends there, - is standard output (default: -)
  --sample TIME    between lines (default: 500ms)
)";
}

} // namespace cgtide::layout
