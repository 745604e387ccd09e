#include "tests/vm/workload/options.hpp"

#include "cgroup/base/text.hpp"

#include <algorithm>
#include <limits>
#include <optional>

namespace cgtide::workload {
namespace {

constexpr std::string_view kOp = "arguments";
constexpr std::size_t kMostSteps = 1024; // each is a mapping of its own
constexpr Bytes kMaxSize{std::uint64_t{1} << 40U};

std::optional<std::string_view> take(std::span<const char* const>& rest) {
    if (rest.empty()) {
        return std::nullopt;
    }
    const std::string_view first = rest.front();
    rest = rest.subspan(1);
    return first;
}

Result<void> parse_size(Bytes& into, std::string_view text) {
    const auto size = parse_bytes(text);
    if (!size) {
        return tl::unexpected(size.error());
    }
    if (*size > kMaxSize || size->count % kPageBytes != 0) {
        return fail(Errc::out_of_range, kOp,
                    std::string(text) + " is no multiple of 4KiB up to 1TiB");
    }
    into = *size;
    return {};
}

Result<void> parse_file(FileRange& into, std::string_view path,
                        std::span<const char* const>& rest) {
    const auto size = take(rest);
    if (!size) {
        return fail(Errc::malformed, kOp, "a file needs a path and a size");
    }
    into.path = path;
    return parse_size(into.size, *size);
}

template <class Number>
Result<void> parse_number(Number& into, std::string_view text, std::uint64_t max) {
    const auto number = to_u64(text);
    if (!number || *number > max) {
        return fail(Errc::out_of_range, kOp,
                    std::string(text) + " is no whole number from 0 to " + std::to_string(max));
    }
    into = Number(*number);
    return {};
}

Result<void> parse_sample(Microseconds& into, std::string_view text) {
    const auto time = parse_duration(text);
    if (!time) {
        return tl::unexpected(time.error());
    }
    if (*time < std::chrono::milliseconds(1)) {
        return fail(Errc::out_of_range, kOp, std::string(text) + " is shorter than 1ms");
    }
    into = *time;
    return {};
}

/// STEP/TIME/MAX.
Result<void> parse_growth(Growth& into, std::string_view text) {
    const auto first = text.find('/');
    const auto last = text.rfind('/');
    if (first == last) {
        return fail(Errc::malformed, kOp, std::string(text) + " is not STEP/TIME/MAX");
    }
    return parse_size(into.step, text.substr(0, first))
        .and_then([&] { return parse_sample(into.each, text.substr(first + 1, last - first - 1)); })
        .and_then([&] { return parse_size(into.most, text.substr(last + 1)); })
        .and_then([&]() -> Result<void> {
            if (into.step == Bytes{}) {
                return fail(Errc::out_of_range, kOp, std::string(text) + " has a step of 0");
            }
            return {};
        });
}

Bytes growth(const Options& options) {
    return options.grow.most - options.hot;
}

/// Whether what was chosen goes together.
Result<void> check(const Options& options) {
    if (options.hot + options.cold + options.file_hot.size + options.file_cold.size == Bytes{}) {
        return fail(Errc::malformed, kOp, "no memory asked for: --hot, --cold and --file-...");
    }
    if (options.grow.each.count() > 0 && options.alternate.count() > 0) {
        return fail(Errc::malformed, kOp, "--grow and --alternate exclude each other");
    }
    if (growth(options).count / kMostSteps > options.grow.step.count) {
        return fail(Errc::out_of_range, kOp,
                    "--grow takes more than " + std::to_string(kMostSteps) + " steps");
    }
    return {};
}

/// One of two words.
Result<void> parse_choice(bool& into, std::string_view text, std::string_view yes,
                          std::string_view no) {
    if (text != yes && text != no) {
        return fail(Errc::malformed, kOp,
                    std::string(text) + " is neither " + std::string(yes) + " nor " +
                        std::string(no));
    }
    into = text == yes;
    return {};
}

Result<void> parse_option(Options& options, std::string_view name, std::string_view value,
                          std::span<const char* const>& rest) {
    if (name == "--hot") {
        return parse_size(options.hot, value);
    }
    if (name == "--cold") {
        return parse_size(options.cold, value);
    }
    if (name == "--file-hot") {
        return parse_file(options.file_hot, value, rest);
    }
    if (name == "--file-cold") {
        return parse_file(options.file_cold, value, rest);
    }
    if (name == "--random") {
        return parse_number(options.random_percent, value, 100);
    }
    if (name == "--report") {
        options.report = value;
        return {};
    }
    if (name == "--sample") {
        return parse_sample(options.sample, value);
    }
    if (name == "--alternate") {
        return parse_sample(options.alternate, value);
    }
    if (name == "--grow") {
        return parse_growth(options.grow, value);
    }
    if (name == "--seconds") {
        return parse_number(options.run_for, value, std::numeric_limits<std::int32_t>::max());
    }
    if (name == "--pause-us") {
        return parse_number(options.pause, value, 1'000'000);
    }
    if (name == "--children") {
        return parse_number(options.children, value, 64);
    }
    if (name == "--work-mode") {
        return parse_choice(options.paced, value, "paced", "spin");
    }
    if (name == "--hot-node" || name == "--cold-node") {
        auto& node = name == "--hot-node" ? options.hot_node : options.cold_node;
        options.tell_nodes = true;
        return parse_number(node.emplace(), value, 63);
    }
    if (name == "--nodes") {
        return parse_choice(options.tell_nodes, value, "tell", "hide");
    }
    if (name == "--pass") {
        return parse_choice(options.whole_pages, value, "checksum", "touch");
    }
    if (name == "--pages") {
        return parse_choice(options.small_pages, value, "small", "any");
    }
    return fail(Errc::malformed, kOp, "unknown option " + std::string(name));
}

} // namespace

Result<Options> parse_options(std::span<const char* const> rest) {
    Options options;
    while (const auto name = take(rest)) {
        if (*name == "--help" || *name == "-h") {
            options.help = true;
            return options;
        }
        const auto value = take(rest);
        if (!value) {
            return fail(Errc::malformed, kOp,
                        std::string(*name) + " is unknown or lacks its value");
        }
        if (auto parsed = parse_option(options, *name, *value, rest); !parsed) {
            parsed.error().detail = std::string(*name) + ": " + parsed.error().detail;
            return tl::unexpected(std::move(parsed.error()));
        }
    }
    return check(options).map([&] { return options; });
}

std::vector<Bytes> growth_steps(const Options& options) {
    std::vector<Bytes> steps;
    for (Bytes left = growth(options); left > Bytes{}; left = left - steps.back()) {
        steps.push_back(std::min(options.grow.step, left));
    }
    return steps;
}

std::size_t steps_due(const Options& options, Nanoseconds worked) {
    const std::uint64_t step = options.grow.step.count;
    if (step == 0) {
        return 0;
    }
    const std::size_t all = (growth(options).count + step - 1) / step;
    return std::min(static_cast<std::size_t>(worked / options.grow.each), all);
}

std::string_view usage() {
    return R"(usage: cgtide-workload [--hot SIZE] [--cold SIZE] [options]

Maps hot memory, which it touches again and again, and cold memory, which it touches once,
and reports as JSON lines how much of each is resident, by its own page map. SIGTERM ends it
with a last sample; SIGUSR1 has it drop the cold anonymous memory, and fill it anew.

  --hot SIZE, --cold SIZE     anonymous memory, such as 32MiB
  --file-hot PATH SIZE        mapped files, made anew; hot pages are read, not written
  --file-cold PATH SIZE
  --random PERCENT            share of each page that does not compress (default: 50)
  --report FILE               appends there, - is standard output (default: -)
  --sample TIME               between samples, such as 1s or 250ms (default: 1s)
  --alternate TIME            hot and cold anonymous memory change places each TIME (default: never)
  --grow STEP/TIME/MAX        hot anonymous memory grows by STEP each TIME until it is MAX, such as
                              4MiB/5s/64MiB (default: never)
  --seconds N                 ends after N seconds, 0 never (default: 0)
  --work-mode paced|spin      pauses after each pass over the hot memory, or never
                              (default: paced)
  --pass touch|checksum       what a pass does with a hot page: writes one byte of it, or checksums
                              it too (default: touch)
  --pages small|any           whether the kernel may back anonymous memory with huge pages (default:
                              small)
  --nodes tell|hide           samples tell on which NUMA nodes the memory is, and what has moved
                              (default: hide)
  --hot-node N, --cold-node N where anonymous memory is at first, as far as there is room; it may
                              move (default: wherever); implies --nodes tell
  --children N                forks N children that do nothing once the memory is there: what is not
                              written after that is shared with them (default: 0)
  --pause-us N                that pause in microseconds (default: 1000)

exit status: 0 done, 1 failed, 2 wrong usage
example: cgtide-workload --hot 32MiB --cold 96MiB --report /out/web.jsonl
)";
}

} // namespace cgtide::workload
