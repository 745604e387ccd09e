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

/// The numbers of the blocks of `listed` that are online, rising.
std::vector<std::uint64_t> online_blocks(const Dir& blocks, const Dir& listed) {
    constexpr std::string_view kPrefix = "memory";
    const auto names = listed.list();
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

/// The blocks that are listed in a folder.
Result<std::vector<damon::Range>> blocks_in(const Dir& sys, const std::string& listed) {
    const auto blocks = sys.sub(kFolder);
    const std::uint64_t size = blocks ? block_size(*blocks).value_or(0) : 0;
    const auto list = sys.sub(listed);
    if (size == 0 || !list) {
        return fail(Errc::unsupported, kOp, "/sys/" + listed + " does not tell");
    }
    std::vector<damon::Range> ranges;
    for (const std::uint64_t block : online_blocks(*blocks, *list)) {
        if (block >= UINT64_MAX / size) {
            return fail(Errc::malformed, kOp, "block " + std::to_string(block));
        }
        const damon::Range range{block * size, (block + 1) * size};
        if (!ranges.empty() && ranges.back().end == range.start) {
            ranges.back().end = range.end;
        } else {
            ranges.push_back(range);
        }
    }
    if (ranges.empty()) {
        return fail(Errc::unsupported, kOp, "/sys/" + listed + " has no block online");
    }
    return ranges;
}

} // namespace

Result<std::vector<damon::Range>> online_memory(const Dir& sys) {
    return blocks_in(sys, kFolder);
}

Result<std::vector<damon::Range>> online_memory(const Dir& sys, unsigned node) {
    return blocks_in(sys, "devices/system/node/node" + std::to_string(node));
}

} // namespace cgtide::monitor
