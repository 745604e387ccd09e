#include "engine/monitor/region_pool.hpp"

#include "cgroup/base/text.hpp"
#include "engine/monitor/online_memory.hpp"

#include <iterator>
#include <utility>

#include <unistd.h>

namespace cgtide::monitor {

namespace {

constexpr const char* kTree = "kernel/mm/damon/admin/kdamonds";
constexpr const char* kModules = "module";

std::string describe(const damon::Recovered& recovered) {
    using What = damon::Recovered::What;
    std::string text;
    switch (recovered.what) {
    case What::nothing:
        text = "nothing to clean up";
        break;
    case What::dropped:
        text = "a record that nothing belongs to any more was removed";
        break;
    case What::cleaned:
        text = "DAMON is as an engine had found it";
        break;
    case What::theirs:
        text = "somebody else uses DAMON now: it is left alone";
        break;
    }
    if (!recovered.started.empty()) {
        text += "; started again: " + listed(recovered.started);
    }
    if (!recovered.owed.empty()) {
        text += "; still to be started: " + listed(recovered.owed);
    }
    return text;
}

} // namespace

Result<Dir> find_damon(const KernelRoots& roots) {
    auto tree = roots.sys.sub(kTree);
    if (!tree) {
        return fail(Errc::unsupported, "use DAMON:", "this kernel has no sysfs interface of it");
    }
    return tree;
}

model::Capability region_capability() {
    return {.name = "idle times by regions",
            .probed = std::string("/sys/") + kTree,
            .detail = {},
            .without = "idle age is not proven: reclaim goes at its profile's pace"};
}

Result<std::unique_ptr<RegionPool>> RegionPool::open(const KernelRoots& roots,
                                                     const RegionPoolOptions& options,
                                                     std::shared_ptr<Handover> handover) {
    auto tree = find_damon(roots);
    if (!tree) {
        return tl::unexpected(tree.error());
    }
    auto modules = roots.sys.sub(kModules);
    auto proc = roots.proc.sub("");
    auto run = Dir::open(options.run_dir);
    for (const auto* opened : {&modules, &proc, &run}) {
        if (!*opened) {
            return tl::unexpected(opened->error());
        }
    }
    std::unique_ptr<RegionPool> made(new RegionPool);
    RegionPool& pool = *made;
    pool.handover_ = std::move(handover);
    pool.run_ = std::move(*run);
    pool.tree_files_ = std::make_unique<damon::KernelFiles>(std::move(*tree));
    pool.module_files_ = std::make_unique<damon::KernelFiles>(std::move(*modules));
    pool.tree_ = std::make_unique<damon::Tree>(*pool.tree_files_);
    pool.host_ = std::make_unique<damon::KernelHost>(std::move(*proc));
    auto owned = damon::Ownership::acquire(
        {&pool.run_, pool.tree_.get(), pool.module_files_.get(), pool.host_.get()},
        {.take_modules = options.take_modules, .engine = ::getpid()});
    if (!owned) {
        return tl::unexpected(owned.error());
    }
    pool.ownership_ = std::make_unique<damon::Ownership>(std::move(*owned));
    damon::PoolOptions how;
    how.intervals.sample = options.sampling.least;
    how.with_scheme = options.by_files;
    pool.memory_ = online_memory(roots.sys);
    if (options.with_memory) {
        how.memory = pool.memory_.value_or(std::vector<damon::Range>());
    }
    how.with_moves = options.with_moves;
    how.before_commit = [handover = pool.handover_](int kdamond, TimePoint begin) {
        handover->begin(kdamond, begin);
    };
    auto opened = damon::Pool::open(*pool.ownership_, std::move(how));
    if (!opened) {
        return tl::unexpected(opened.error());
    }
    pool.pool_ = std::make_unique<damon::Pool>(std::move(*opened));
    pool.sampling_ = options.sampling;
    pool.sample_ = {
        .sample = options.sampling.least, .over = 0, .calm = std::chrono::steady_clock::now()};
    return made;
}

std::string RegionPool::offers() const {
    const damon::Support& has = pool_->support();
    std::vector<std::string> names;
    for (const auto& [name, there] : {std::pair{"vaddr", has.vaddr},
                                      {"fvaddr", has.fvaddr},
                                      {"paddr", has.paddr},
                                      {"obsolete_target", has.obsolete_target},
                                      {"probes", has.probes},
                                      {"goal_tuner", has.goal_tuner},
                                      {"fail_charge", has.fail_charge},
                                      {"max_nr_snapshots", has.max_nr_snapshots},
                                      {"dests", has.dests},
                                      {"tried_regions", has.tried_regions},
                                      {"sz_filter_passed", has.passed_bytes},
                                      {"unmapped", has.unmapped}}) {
        if (there) {
            names.emplace_back(name);
        }
    }
    return listed(names);
}

void RegionPool::tune() {
    const TimePoint now = std::chrono::steady_clock::now();
    const auto used = load_.measure(*host_, pool_->kdamonds(), now);
    // What paging out takes is no reason to look less often.
    const bool disturbed = std::exchange(disturbed_, !orders_.empty());
    if (used && !disturbed) {
        used_ = *used;
        sample_ = damon::step_sample(sample_, used_, now, sampling_);
        pool_->set_sample(sample_.sample);
    }
}

PhysicalSupport RegionPool::physical() const {
    if (!pool_->watches_memory()) {
        return {};
    }
    Bytes bytes;
    for (const damon::Range& range : *memory_) {
        bytes = bytes + Bytes{range.end - range.start};
    }
    return {bytes, pool_->support().unmapped};
}

std::string RegionPool::no_memory() const {
    if (!memory_) {
        return memory_.error().message();
    }
    return pool_->watches_memory() ? std::string() : "DAMON lacks paddr or sz_filter_passed";
}

Result<PoolState> RegionPool::apply(std::vector<damon::Target> targets,
                                    const damon::PhysicalWatch& memory, bool moves) {
    if (pool_ == nullptr) {
        return fail(Errc::conflict, "use DAMON:", "it was given back");
    }
    tune();
    auto applied = pool_->apply(std::move(targets));
    if (!applied) {
        return tl::unexpected(applied.error());
    }
    handover_->end(std::move(applied->epochs));
    PoolState state;
    for (auto& more : {pool_->watch_memory(memory), pool_->watch_moves(moves)}) {
        if (more) {
            handover_->end(more->epochs);
            applied->failed.insert(applied->failed.end(), more->failed.begin(), more->failed.end());
        } else if (more.error().code == Errc::conflict) {
            return tl::unexpected(more.error());
        } else {
            state.problems.push_back(more.error().message());
        }
    }
    state.kdamonds = pool_->kdamonds();
    state.sample = sample_.sample;
    state.used = used_;
    state.memory_due = pool_->memory_due();
    state.unwatched = std::move(applied->no_room);
    for (damon::Applied::Failure& failure : applied->failed) {
        state.unwatched.insert(state.unwatched.end(), failure.keys.begin(), failure.keys.end());
        state.problems.push_back("slot " + std::to_string(failure.slot) + ": " +
                                 failure.error.message());
    }
    return state;
}

std::size_t RegionPool::slots() const {
    return pool_ == nullptr ? 0 : pool_->target_slots();
}

Result<std::optional<damon::PhysicalReading>> RegionPool::read_memory() {
    if (pool_ == nullptr) {
        return std::nullopt;
    }
    return pool_->read_memory(std::chrono::steady_clock::now());
}

Result<std::vector<damon::Round>> RegionPool::read(std::size_t slot) {
    if (pool_ == nullptr) {
        return std::vector<damon::Round>();
    }
    return pool_->read(slot);
}

RegionPool::~RegionPool() {
    (void)release();
}

Result<std::string> RegionPool::release() {
    if (ownership_ == nullptr) {
        return std::string("it was given back before");
    }
    pool_.reset();
    const auto ownership = std::move(ownership_);
    auto released = ownership->release();
    if (!released) {
        return tl::unexpected(released.error());
    }
    if (!released->owed.empty()) {
        return fail(Errc::conflict, "give DAMON back", describe(*released));
    }
    return describe(*released);
}

Result<std::string> clean_up_regions(const KernelRoots& roots, const std::string& run_dir) {
    auto run = Dir::open(run_dir);
    auto tree = roots.sys.sub(kTree);
    if (!run || !tree) {
        return std::string("nothing to clean up");
    }
    auto modules = roots.sys.sub(kModules);
    auto proc = roots.proc.sub("");
    for (const auto* opened : {&modules, &proc}) {
        if (!*opened) {
            return tl::unexpected(opened->error());
        }
    }
    damon::KernelFiles tree_files(std::move(*tree));
    damon::KernelFiles module_files(std::move(*modules));
    damon::Tree kdamonds(tree_files);
    const damon::KernelHost host(std::move(*proc));
    return damon::recover({&*run, &kdamonds, &module_files, &host}).map(describe);
}

} // namespace cgtide::monitor
