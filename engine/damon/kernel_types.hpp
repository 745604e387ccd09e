#pragma once

#include "cgroup/base/result.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

struct btf;

namespace cgtide::damon {

/// A tracepoint of DAMON.
struct Tracepoint {
    std::string name;
    std::size_t arguments = 0; ///< without the tracepoint's own

    bool operator==(const Tracepoint&) const = default;
};

/// What a kernel's types (BTF) tell of its DAMON, without a look at DAMON itself.
struct KernelTypes {
    std::vector<std::string> has;        ///< parts of its sysfs interface, as Support names them
    std::vector<std::string> lacks;      ///< the others
    std::vector<Tracepoint> tracepoints; ///< in the order of the types
    std::string no_aggregated;           ///< why damon_aggregated cannot be used; empty: it can
};

KernelTypes kernel_types(const btf& types);

/// The same for the bytes of `/sys/kernel/btf/vmlinux`. Takes some 10 ms. \returns `malformed` for
/// bytes that are no BTF.
Result<KernelTypes> read_kernel_types(std::string_view bytes);

} // namespace cgtide::damon
