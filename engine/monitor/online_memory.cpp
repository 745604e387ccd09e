#include "engine/monitor/online_memory.hpp"

#include "cgroup/base/text.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

namespace cgtide::monitor {

namespace {

constexpr std::string_view kOp = "find physical memory";
constexpr const char* kFolder = "devices/system/memory";

std::optional<std::uint64_t> block_size(const Dir& blocks) {
    constexpr int kHex = 16;
    const auto text = blocks.read("block_size_bytes");
    if (!text) {
        return std::nullopt;
    }
    const std::string_view digits = trim(std::string_view(*text).substr(0, text->find('\n')));
    std::uint64_t size = 0;
    const char* const end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, size, kHex);
    return error == std::errc{} && stop == end && size > 0 ? std::optional(size) : std::nullopt;
}

/// The numbers of the blocks that are online, rising.
std::vector<std::uint64_t> online_blocks(const Dir& blocks) {
    constexpr std::string_view kPrefix = "memory";
    const auto names = blocks.list();
    std::vector<std::uint64_t> numbers;
    for (const std::string& name : names.value_or(std::vector<std::string>())) {
        if (!name.starts_with(kPrefix)) {
            continue;
        }
        const auto number = to_u64(std::string_view(name).substr(kPrefix.size()));
        const auto state = number ? blocks.read(name + "/state") : Result<std::string>();
        if (number && state && state->starts_with("online")) {
            numbers.push_back(*number);
        }
    }
    std::sort(numbers.begin(), numbers.end());
    return numbers;
}

} // namespace

Result<std::vector<damon::Range>> online_memory(const Dir& sys) {
    const auto blocks = sys.sub(kFolder);
    const auto size = blocks ? block_size(*blocks) : std::nullopt;
    if (!size) {
        return fail(Errc::unsupported, kOp, "/sys/devices/system/memory does not tell");
    }
    std::vector<damon::Range> ranges;
    for (const std::uint64_t block : online_blocks(*blocks)) {
        if (block >= UINT64_MAX / *size) {
            return fail(Errc::malformed, kOp, "block " + std::to_string(block));
        }
        const damon::Range range{block * *size, (block + 1) * *size};
        if (!ranges.empty() && ranges.back().end == range.start) {
            ranges.back().end = range.end;
        } else {
            ranges.push_back(range);
        }
    }
    if (ranges.empty()) {
        return fail(Errc::unsupported, kOp, "/sys/devices/system/memory has no block online");
    }
    return ranges;
}

} // namespace cgtide::monitor
