#pragma once

#include "cgroup/pagemap.hpp"
#include "engine/model/idle.hpp"
#include "engine/monitor/ages.hpp"
#include "tests/support/sizes.hpp"
#include "tests/support/times.hpp"

#include <cstdint>

namespace cgtide::test {

/// Addresses in MiB that have been idle for so many seconds.
inline monitor::IdleRange piece(std::uint64_t start, std::uint64_t end, std::int64_t idle) {
    return {{start * kMiB, end * kMiB}, seconds(idle), seconds(idle)};
}
/// ... for so many at least and at most.
inline monitor::IdleRange unsure_piece(std::uint64_t start, std::uint64_t end, std::int64_t least,
                                       std::int64_t most) {
    return {{start * kMiB, end * kMiB}, seconds(least), seconds(most)};
}

/// Addresses in MiB at which all pages are present.
inline cgroup::Present run(std::uint64_t start, std::uint64_t end,
                           cgroup::PageKind kind = cgroup::PageKind::anon) {
    return {start * kMiB, end * kMiB, kind};
}

/// So many MiB that have been idle for so many seconds.
inline model::IdleSlice slice(std::int64_t idle, std::uint64_t anon, std::uint64_t file = 0,
                              std::uint64_t unsure = 0) {
    return {seconds(idle), mebibytes(anon), mebibytes(file), mebibytes(unsure)};
}

} // namespace cgtide::test
