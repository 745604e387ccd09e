#pragma once

#include "engine/core/admission.hpp"
#include "engine/core/arbiter.hpp"
#include "engine/core/budget.hpp"
#include "engine/core/control.hpp"
#include "engine/core/engine_options.hpp"
#include "engine/core/move_queue.hpp"
#include "engine/core/registry.hpp"
#include "engine/core/task_group.hpp"
#include "engine/core/tier_sight.hpp"

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

namespace cgtide::core {

/// The engine: keeps the registry true to run folder and kernel, steps every container's apps when
/// they are due, and has the pool carry out what they decide.
class Engine final : public Control {
public:
    Engine(boost::asio::io_context& io, EngineOptions options);
    ~Engine() override;

    /// Adopts the registered containers, then watches and steps until stop().
    boost::asio::awaitable<void> start();

    /// Ends writes under way and all loops, and waits for both.
    boost::asio::awaitable<void> stop();

    /// Takes new settings: every policy is compiled anew, states are kept.
    void reload(model::Settings settings);

    boost::asio::awaitable<Result<std::string>> enroll(oci::Record record) override;
    boost::asio::awaitable<Result<void>> retire(std::string id, std::string bundle) override;
    std::vector<model::ContainerSummary> list(bool all) const override;
    std::vector<model::RefusedRecord> refused() const override;
    std::vector<model::StatRow> stats(bool all) const override;
    Result<model::StatRow> stat(std::string_view name) const override;
    Result<PastTimes> history(std::string_view name) const override;
    Result<model::ContainerDetail> inspect(std::string_view name) const override;
    Result<Explanation> explain(std::string_view name, std::size_t limit) const override;
    Result<IdleTimes> idle(std::string_view name) const override;
    Result<Forecast> what_if(std::string_view name,
                             std::optional<Microseconds> idle) const override;
    Result<Advice> suggest(std::string_view name) const override;
    boost::asio::awaitable<Result<RegionTimes>> regions(std::string name,
                                                        model::RegionCut cut) override;
    boost::asio::awaitable<Result<void>> attach(std::string name, model::AppName app) override;
    boost::asio::awaitable<Result<void>> detach(std::string name, model::AppName app) override;
    boost::asio::awaitable<Result<std::string>> release_damon() override;
    boost::asio::awaitable<Result<std::size_t>> pause() override;
    boost::asio::awaitable<Result<void>> resume() override;
    bool paused() const override { return paused_; }
    boost::asio::awaitable<model::TierView> tiers() override;
    boost::asio::awaitable<std::vector<model::Capability>> capabilities() override;

private:
    using Pointer = Registry::Pointer;

    // views.cpp: what is told of one container
    static model::ContainerSummary summarise(const Container& container);
    std::string why_no_idle(const Container& container) const;

    /// One container's turn in a tick.
    struct Turn {
        Pointer container;
        std::shared_ptr<cgroup::Group> group;
        monitor::Subject subject;
        Result<model::Snapshot> snapshot;
        std::shared_ptr<const monitor::GenerationFigures> generations;
        bool wants_generations = false;
        Microseconds cold_after{0}; ///< its reclaim.idle
        monitor::Wish wish{};       ///< where it has processes to look at
    };

    /// A request that is about to be made.
    struct Order {
        model::Decision decision;
        std::uint64_t sequence = 0; ///< of its entry in the journal
        TimePoint decided{};        ///< when what it was decided by was read
        TimePoint waiting{};        ///< since when its container waits for others
    };

    // engine.cpp: loops
    boost::asio::awaitable<void> tick_loop();
    boost::asio::awaitable<void> watch_loop();
    boost::asio::awaitable<void> rescan_loop();
    boost::asio::awaitable<void> tick(TimePoint now);
    boost::asio::awaitable<void> carry_out(Pointer container, Order order);
    static model::Outcome no_outcome(const Order& order);
    void find_turns(TimePoint now);
    std::vector<model::Decision> step(Turn& turn, const model::NodeView& node, TimePoint now);
    void note_history(Container& container, const model::Snapshot& now) const;
    Standing standing(CgroupId id, TimePoint now) const;
    void dispatch(std::vector<model::Decision> decisions, TimePoint now);
    void wake();

    // perform.cpp: what carries a decision out
    boost::asio::awaitable<model::Outcome> perform(Pointer container, const Order& order,
                                                   bool& begun);
    boost::asio::awaitable<model::Outcome> write(Pointer container, const Order& order,
                                                 bool& begun);
    boost::asio::awaitable<model::Outcome> page_out(Pointer container, const Order& order,
                                                    bool& begun);
    boost::asio::awaitable<model::Outcome> evict(Pointer container, const Order& order,
                                                 bool& begun);

    // perform_move.cpp: between memory tiers
    boost::asio::awaitable<model::Outcome> move_pages(Pointer container, const Order& order,
                                                      bool& begun);
    boost::asio::awaitable<model::Outcome> demote_by_kernel(Pointer container, const Order& order,
                                                            bool& begun);
    void lose_kernel_moves(const std::string& why);

    // perform_move_damos.cpp: likewise, by DAMON's worker
    boost::asio::awaitable<model::Outcome> move_by_damon(Pointer container, const Order& order,
                                                         bool& begun);
    bool wants_moves() const;
    void tell_moves(const std::string& trouble);
    void lose_moves(const std::string& why);

    // tiers.cpp: memory by speed
    static constexpr Microseconds kTopologyPeriod{10'000'000};
    TierSight look_at_tiers(const std::shared_ptr<const model::Topology>& before,
                            TimePoint now) const;
    void sense_placement(Turn& turn, const TierSight& sight, bool by_regions) const;
    void sense_homing(Turn& turn, const TierSight& sight, bool by_regions) const;
    Bytes share_tiers(const model::TierRoom& room, TimePoint now);
    bool has_lower_tier(const Container& container, TimePoint now) const;
    Result<void> admit_low(const Container& container) const;
    Bytes fast_tier() const;
    model::TierUse tier_use(const Container& container) const;

    // perform_damos.cpp: by DAMON's workers
    boost::asio::awaitable<model::Outcome> page_out_by_damon(Pointer container, const Order& order,
                                                             bool& begun);
    void tell_page_out(const std::string& trouble);
    void lose_page_out(const std::string& why);

    // pause.cpp: the node's switch
    boost::asio::awaitable<void> read_pause();
    using Write = std::pair<Pointer, std::shared_ptr<act::Interrupt>>;
    std::vector<Write> writes_under_way() const;
    boost::asio::awaitable<std::size_t> end_writes(std::vector<Write> writes, TimePoint latest);
    boost::asio::awaitable<void> see_end(Write write);
    void end_write(const Pointer& container);
    void end_unwanted_write(const Pointer& container);

    // monitoring.cpp: whose memory is watched
    boost::asio::awaitable<void> region_loop();
    boost::asio::awaitable<bool> take_damon();
    void tell_regions(const std::string& trouble);
    boost::asio::awaitable<void> take_up(const monitor::PoolState& state, bool is_changed);
    boost::asio::awaitable<void> read_regions();
    boost::asio::awaitable<void> count_memory();
    boost::asio::awaitable<void> drain_loop();
    boost::asio::awaitable<void> release_regions();
    boost::asio::awaitable<void> generation_loop();
    void sense_idle(Turn& turn, bool by_regions, bool regions_work) const;
    monitor::Wish wish_of(const Container& container) const;
    std::vector<monitor::Wish> wishes(bool by_generations) const;

    // physical.cpp: physical memory
    void tell_physical(const std::string& trouble);
    void note_physical(model::PageCache state);
    void lose_physical(const std::string& why);
    std::string why_no_physical() const;
    monitor::PhysicalUse physical_use() const;
    std::vector<monitor::PhysicalWish>
    physical_wishes(const std::vector<monitor::Wish>& wishes) const;

    // release.cpp: what is told of regions, and when they do not work any more
    void note_sample(const monitor::PoolState& state);
    void lose_regions(const std::string& why);
    std::string why_no_regions() const;

    // enrolment.cpp: what comes and goes
    boost::asio::awaitable<void> rescan();
    boost::asio::awaitable<void> take(const Found& found);
    boost::asio::awaitable<void> forget(std::string key, CgroupId ended);
    boost::asio::awaitable<Result<std::string>> adopt(oci::Record record, bool stopped);
    boost::asio::awaitable<void> check(Pointer container);
    boost::asio::awaitable<void> end(Pointer container, std::string why);
    boost::asio::awaitable<Result<void>> change_attachment(std::string name, model::AppName app,
                                                           bool attached);
    Result<std::string> install(oci::Record record, Admitted admitted, Attachment attachment,
                                bool stopped);
    void compile(const Pointer& container);
    void compile_all();
    void admit_waiting();
    bool awaits_tiers() const;

    boost::asio::io_context& io_;
    EngineOptions options_;
    model::IdleSensor sensor_;             ///< as it was at start
    std::optional<model::Actuator> mover_; ///< likewise
    Registry registry_;
    model::NodeView node_;                            ///< as last read
    std::shared_ptr<const model::Topology> topology_; ///< none until it was first read
    TimePoint topology_at_{};
    std::array<Bytes, 3> moving_{}; ///< asked for by moves under way, by model::Move
    Budget budget_;                 ///< of all containers together
    std::vector<Turn> turns_;       ///< of the tick that is under way
    boost::asio::thread_pool sensors_{1};
    static constexpr std::size_t kReclaimers = 2;
    boost::asio::thread_pool reclaimers_{kReclaimers};
    boost::asio::thread_pool damon_{1};
    boost::asio::thread_pool walkers_{1}; ///< of page tables, for generations
    boost::asio::steady_timer tick_timer_;
    boost::asio::steady_timer walk_timer_; ///< of generation_loop()
    boost::asio::posix::stream_descriptor watch_;
    TaskGroup tasks_;
    bool stopping_ = false;
    bool paused_ = false;    ///< every request is turned away
    bool watching_ = false;  ///< some container's memory is watched by regions
    bool walking_ = false;   ///< some container's page tables are walked
    bool has_damon_ = false; ///< or is about to: regions or physical regions tell
    bool regions_work_ = false;
    MoveQueue move_queue_{io_, damon_}; ///< for DAMON's worker
    Microseconds sample_{0};            ///< between two looks of DAMON's workers
    std::int64_t scanned_ = 0;          ///< RunDir::changed() before the last scan
};

} // namespace cgtide::core
