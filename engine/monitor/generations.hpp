#pragma once

#include "cgroup/subtree.hpp"
#include "engine/damon/lru_gen.hpp"
#include "engine/model/cold_generations.hpp"
#include "engine/model/idle.hpp"
#include "engine/model/view.hpp"
#include "engine/monitor/generation_ledger.hpp"
#include "engine/monitor/idle_view.hpp"
#include "engine/monitor/wish.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace cgtide::monitor {

/// What is known of one cgroup of a container on one node.
struct NodeLedger {
    CgroupId group;
    std::string path; ///< v2
    unsigned node = 0;
    GenerationLedger ledger;
};

/// What generations tell of one container.
struct GenerationFigures {
    TimePoint at{};                    ///< begin of the last walk: no use after it is known
    TimePoint counted{};               ///< since when what leaves is in no count: after the walk
    Microseconds watched{0};           ///< since the begin of the first
    Microseconds resolution{0};        ///< time between the last two walks
    Microseconds cost{0};              ///< CPU time of the last walk
    std::vector<UsedUntil> anon;       ///< anonymous, tmpfs and shared pages; in no order
    std::vector<NodeLedger> ledgers{}; ///< where they are
};

/// A container's idle memory by generations. Pure. Anonymous memory alone: page cache comes into an
/// old generation and stays there when read(2) uses it, so that nothing is proven of `file`, which
/// is `unseen`. Generations count as anonymous also tmpfs, shared memory, and what no process maps
/// (read ahead from swap): as many bytes as `shmem`, or as there are more than `anon`, the longest
/// idle first, are taken for these, and are `unseen` or not the container's.
model::IdleView generation_view(const GenerationFigures& figures, const Charged& charged);

/// The generations of a container whose anonymous pages had been idle for `idle` at `at`, those
/// with most of them first. Whoever evicts them looks first at what they are by then. Pure.
std::vector<model::ColdGenerations> cold_generations(const GenerationFigures& figures,
                                                     Microseconds idle);

/// When the walk after one that began at `begin` and took `cost` is due. Turns lie on a grid of
/// kLeastPeriod, so that the containers of one turn share the two readings of the file. Pure.
TimePoint next_turn(TimePoint begin, Microseconds cost);

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

    /// What a cgroup's node may miss in a row and its history is still good: reclaim can be faster
    /// than a walk, and the file can skip a cgroup where another one is removed.
    static constexpr unsigned kMostMissed = 3;

    using Clock = std::function<TimePoint()>;

    explicit Generations(std::unique_ptr<damon::Mglru> kernel,
                         Clock clock = std::chrono::steady_clock::now)
        : kernel_(std::move(kernel)), clock_(std::move(clock)) {}

    /// Walks those of these containers whose turn it is, and forgets all others. Two readings of
    /// the file for all of them, and about 10 ns a page.
    ///
    /// \returns what failed for all of them.
    Result<void> walk(const std::vector<Wish>& wishes);

    /// What is known of a container; null before its first walk.
    std::shared_ptr<const GenerationFigures> figures(CgroupId id) const;

private:
    /// One cgroup on one node.
    struct Key {
        CgroupId group;
        unsigned node = 0;
        auto operator<=>(const Key&) const = default;
    };
    struct Held {
        std::string path;
        GenerationLedger ledger;
        TimePoint begun{};   ///< of its last walk
        TimePoint counted{}; ///< since when what leaves is not in its ledger
        unsigned missed = 0;
    };
    struct Watched {
        std::map<Key, Held> held;
        TimePoint first{};
        TimePoint due{};
        std::shared_ptr<const GenerationFigures> figures;
    };
    /// A walk that was asked for, and the generation that it must have made.
    struct Walked {
        Key key;
        std::string path;
        TimePoint begin{};
        TimePoint end{};
        std::uint64_t made = 0;
    };
    /// A container's turn.
    struct Turn {
        Watched* watched = nullptr;
        std::vector<Walked> walked;
        TimePoint begin{};
        Microseconds cost{0};
        bool known = false; ///< the file names one of its cgroups
    };

    std::vector<const Wish*> keep(const std::vector<Wish>& wishes);
    Result<void> read();
    void age(const cgroup::Subtree& subtree, Turn& turn);
    const damon::NodeGenerations* proof(const Walked& walked) const;
    void take(const Turn& turn);

    std::unique_ptr<damon::Mglru> kernel_;
    Clock clock_;
    damon::LruGenerations reading_; ///< the last
    TimePoint asked_{};             ///< when it was begun
    TimePoint read_{};              ///< ... and ended
    std::map<CgroupId, Watched> containers_;
};

/// The row of `cgtide doctor` for idle times by generations; whether they are known, and why not,
/// is the caller's to fill in.
model::Capability generation_capability();

} // namespace cgtide::monitor
