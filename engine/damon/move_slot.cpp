#include "engine/damon/move_slot.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace cgtide::damon {

namespace {

constexpr std::string_view kOp = "move by DAMON";

PhysicalOptions how(const Ownership& ownership, const PoolOptions& options) {
    return {.memory = options.memory,
            .sentinel = ownership.engine(),
            .key = kSentinel,
            .intervals = options.intervals};
}

void note(const Slot& slot, Result<void> done, Applied& applied) {
    if (!done) {
        applied.failed.push_back({slot.number(), std::move(done.error()), {}});
    }
}

} // namespace

/// Whether the worker has no schemes, nor folders of some that a commit would take over.
bool MoveSlot::is_bare(const Slot& slot) {
    if (slot.worker() != worker_) { // they ended with theirs
        schemes_ = 0;
        is_wanted_ = false;
        worker_ = slot.worker();
    }
    return schemes_ == 0;
}

void MoveSlot::commit(Slot& slot, Ownership& ownership, const PoolOptions& options,
                      const std::vector<PhysicalMove>& moves, Applied& applied) {
    // A commit that fails leaves its folders, and may have been taken over: it is undone later.
    schemes_ = std::max(schemes_, moves.size());
    auto done = slot.commit(
        ownership, options,
        plan_physical_change(move_schemes(moves), how(ownership, options), false), applied);
    if (done) {
        schemes_ = moves.size();
    }
    note(slot, std::move(done), applied);
}

void MoveSlot::watch(Slot& slot, Ownership& ownership, const PoolOptions& options, bool wanted,
                     Applied& applied) {
    const bool bare = is_bare(slot);
    if (!wanted) {
        note(slot, slot.stop(ownership, applied), applied);
    } else if (slot.worker() == 0) {
        note(slot,
             slot.start(ownership, options,
                        plan_physical_start(move_schemes({}), how(ownership, options)), applied),
             applied);
    } else if (!is_wanted_ && (!bare || slot.intervals() != options.intervals)) {
        commit(slot, ownership, options, {}, applied);
    }
    (void)is_bare(slot);
}

void MoveSlot::begin(Slot& slot, Ownership& ownership, const PoolOptions& options,
                     const std::vector<PhysicalMove>& moves, Applied& applied) {
    const bool bare = is_bare(slot);
    if (slot.worker() == 0) {
        note(slot, fail(Errc::gone, kOp, "physical memory is not watched for it yet"), applied);
        return;
    }
    if (!bare) {
        note(slot, fail(Errc::conflict, kOp, "another move has not ended yet"), applied);
        return;
    }
    is_wanted_ = true;
    commit(slot, ownership, options, moves, applied);
    is_wanted_ = !is_bare(slot) && applied.failed.empty();
}

std::uint64_t MoveSlot::end(Slot& slot, Ownership& ownership, const PoolOptions& options,
                            Applied& applied) {
    is_wanted_ = false;
    if (is_bare(slot)) {
        return 0;
    }
    Tree& tree = ownership.tree();
    std::uint64_t moved = 0;
    if (tree.write(slot_path(slot.number(), "state"), "update_schemes_stats")) {
        for (std::size_t i = 0; i < schemes_; ++i) {
            const std::string applied_bytes =
                "contexts/0/schemes/" + std::to_string(i) + "/stats/sz_applied";
            moved += tree.number(slot_path(slot.number(), applied_bytes)).value_or(0);
        }
    }
    commit(slot, ownership, options, {}, applied);
    return moved;
}

} // namespace cgtide::damon
