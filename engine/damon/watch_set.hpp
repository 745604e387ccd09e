#pragma once

#include "engine/damon/bpf/layout.h"

#include <cstddef>
#include <cstdint>
#include <span>

namespace cgtide::damon {

/// A table of keys that BPF programs read while it is written: each store is one aligned word, and
/// no key ever moves. One thread writes.
class WatchSet {
public:
    WatchSet() = default;
    /// `sets` is a power of two of them, which outlive this.
    explicit WatchSet(std::span<cgtide_set> sets) : sets_(sets) {}

    /// Makes these the keys of the table; 0 is no key. Those that stay keep their marks.
    ///
    /// \returns how many found no room.
    [[nodiscard]] std::size_t assign(std::span<const std::uint64_t> keys);

private:
    bool insert(std::uint64_t key);

    std::span<cgtide_set> sets_;
};

} // namespace cgtide::damon
