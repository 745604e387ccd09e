#pragma once

#include "cgroup/subtree.hpp"
#include "engine/damon/lru_gen.hpp"
#include "engine/model/idle.hpp"
#include "engine/model/view.hpp"
#include "engine/monitor/generation_ledger.hpp"
#include "engine/monitor/idle_view.hpp"
#include "engine/monitor/wish.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace cgtide::monitor {

/// What generations tell of one container.
struct GenerationFigures {
    TimePoint at{};              ///< end of the last walk
    Microseconds watched{0};     ///< since the end of the first
    Microseconds resolution{0};  ///< time between the last two walks
    Microseconds cost{0};        ///< CPU time of the last walk
    std::vector<UsedUntil> anon; ///< anonymous, tmpfs and shared pages; in no order
};

/// A container's idle memory by generations. Pure. Anonymous memory alone: page cache comes into an
/// old generation and stays there when read(2) uses it, so that nothing is proven of `file`, which
/// is `unseen`. As generations count tmpfs and shared memory as anonymous, as many bytes as
/// `shmem`, the longest idle first, are taken for these, and are `unseen` too.
model::IdleView generation_view(const GenerationFigures& figures, const Charged& charged);

/// The sensor of MGLRU's generations. It has the kernel walk page tables, which blocks; one thread
/// at a time uses it.
class Generations {
public:
    /// The least time between two walks of a container: memory that has been idle for 10 s must be
    /// told from what is younger.
    static constexpr Microseconds kLeastPeriod{5'000'000};
    /// ... and the most.
    static constexpr Microseconds kMostPeriod{600'000'000};
    /// A container's walks take at most this share of one processor.
    static constexpr double kShare = 0.01;

    explicit Generations(damon::LruGen file) : file_(std::move(file)) {}

    /// Walks those of these containers whose turn it is, and forgets all others. About 10 ns a
    /// page.
    ///
    /// \returns what failed for all of them.
    Result<void> walk(const std::vector<Wish>& wishes);

    /// What is known of a container; null before its first walk.
    std::shared_ptr<const GenerationFigures> figures(CgroupId id) const;

private:
    struct Key {
        CgroupId group;
        unsigned node = 0;
        auto operator<=>(const Key&) const = default;
    };
    struct Watched {
        std::map<Key, GenerationLedger> ledgers;
        TimePoint first{};
        TimePoint due{};
        std::shared_ptr<const GenerationFigures> figures;
    };
    /// One lruvec that the kernel was told to walk.
    struct Walked {
        Key key;
        std::string path;
        std::uint64_t begun = 0; ///< number of the generation that a walk begins
        TimePoint from{};        ///< before the command
        TimePoint at{};          ///< after it
    };

    std::vector<Walked> age(const cgroup::Subtree& subtree);
    void take(Watched& watched, const std::vector<Walked>& walked, TimePoint begin,
              Microseconds cost);

    damon::LruGen file_;
    damon::LruGenerations reading_; ///< the last
    TimePoint read_{};              ///< when
    std::map<CgroupId, Watched> containers_;
};

/// The row of `cgtide doctor` for idle times by generations; whether they are known, and why not,
/// is the caller's to fill in.
model::Capability generation_capability();

} // namespace cgtide::monitor
