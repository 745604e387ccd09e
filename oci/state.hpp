#pragma once

#include "cgroup/base/result.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace cgtide::oci {

using Annotations = std::map<std::string, std::string, std::less<>>;

/// The state that a runtime writes to a hook's standard input.
struct State {
    std::string id;
    std::string status; ///< creating, created, running or stopped
    int pid = 0;        ///< in the runtime's pid namespace; 0 where the state has none (poststop)
    std::string bundle; ///< absolute path
    Annotations annotations;
};

/// Bounds of what a hook reads.
inline constexpr std::size_t kMaxStateBytes = 1U << 20U;
inline constexpr int kMaxStateDepth = 32;
/// The kernel's PID_MAX_LIMIT.
inline constexpr std::int64_t kMaxPid = 1 << 22;
/// Annotation names and values are at most this long; longer ones are refused one by one, by the
/// policy.
inline constexpr std::size_t kMaxValueBytes = 253;

/// Parses the state of runc, crun or podman: compact or pretty-printed, `\/`, unknown keys, any
/// ociVersion.
///
/// \returns `malformed` or `out_of_range` whose detail names the field: empty or truncated text,
/// text after the object, a duplicate key, a NUL in a string, nesting beyond kMaxStateDepth, an id
/// that is empty or holds `/`, a bundle that is not absolute, a pid that is no number.
Result<State> parse_state(std::string_view text);

} // namespace cgtide::oci
