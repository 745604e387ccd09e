#pragma once

#include "cgroup/base/cgroup_id.hpp"
#include "cgroup/base/result.hpp"
#include "cgroup/base/units.hpp"
#include "engine/damon/event.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace cgtide::damon {

/// How much room a stream has.
struct StreamOptions {
    /// Of the ring of regions; a power of two, at least a page. An event takes 56 bytes: 64
    /// kdamonds with 1000 regions each tell 3.4 MiB an aggregation, so that the default holds all
    /// of one even where every slot is full.
    std::uint32_t region_bytes = 4U << 20U;
    /// Of the ring of changes; as above. An event takes 32 bytes and a cgroup is told of ten times
    /// a second at most: 800 of them for a second.
    std::uint32_t change_bytes = 256U << 10U;
};

/// What this process's kdamonds tell and what becomes of processes in cgroups, by BPF programs that
/// are attached while the stream lives. Nothing is told before it is asked for by `watch`.
///
/// open() needs CAP_BPF and CAP_PERFMON. After it no call needs a privilege: drain(), lost() and
/// the watches read and write mapped memory, and make no system call of their own.
class Stream {
public:
    /// A cgroup's changes are told once in this time.
    static constexpr Microseconds kChangeWindow{100'000};

    /// Loads and attaches the programs.
    ///
    /// \returns `unsupported` where the kernel has no BTF or no tracepoint damon_aggregated, or one
    ///          with arguments that are not known; `denied` without the privileges; `out_of_range`
    ///          for a wrong size; else what bpf(2) returned. The detail ends with libbpf's own
    ///          words. Blocks, for about 0.1 s. Not to be called by two threads at once.
    static Result<Stream> open(const StreamOptions& options = {});

    Stream(Stream&&) noexcept;
    Stream& operator=(Stream&&) noexcept;
    ~Stream();

    /// An epoll descriptor, readable when there is something to drain. It wakes a waiter for each
    /// change, but for regions only when a quarter of their ring is full: they come in bursts, and
    /// a reader with a timer of its own, of one aggregation, reads them at a fraction of the cost.
    int fd() const;

    /// Appends all that has been told since. Events of one kdamond are in the order of time. Does
    /// not block. One thread.
    ///
    /// \returns how many there were of both.
    std::size_t drain(std::vector<Event>& regions, std::vector<Change>& changes);

    /// From now on these kdamonds alone are told of, by pid. May be called beside drain(), by one
    /// thread.
    ///
    /// \returns how many found no room, which for 64 is one chance in thousands.
    [[nodiscard]] std::size_t watch(std::span<const int> kdamonds);

    /// From now on changes in these cgroups and below them are told of, down to 16 levels below the
    /// root. May be called beside drain(), by one thread.
    ///
    /// \returns how many found no room, which for 1000 is one chance in a thousand.
    [[nodiscard]] std::size_t watch(std::span<const CgroupId> cgroups);

    /// Regions that were told while the ring was full, since open().
    std::uint64_t lost() const;

    /// Changes that were told while the ring was full, since open().
    std::uint64_t lost_changes() const;

private:
    struct Impl;

    explicit Stream(std::unique_ptr<Impl> impl);

    std::unique_ptr<Impl> impl_;
};

} // namespace cgtide::damon
