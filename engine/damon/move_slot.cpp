#include "engine/damon/move_slot.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace cgtide::damon {

namespace {

constexpr std::string_view kOp = "move by DAMON";

/// The scheme that looks; those that move come after it.
constexpr std::size_t kLook = 0;

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
    const std::size_t schemes = moves.empty() ? 0 : 1 + moves.size();
    // A commit that fails leaves its folders, and may have been taken over: it is undone later.
    schemes_ = std::max(schemes_, schemes);
    auto done = slot.commit(
        ownership, options,
        plan_physical_change(move_schemes(moves), how(ownership, options), false), applied);
    if (done) {
        schemes_ = schemes;
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

std::uint64_t MoveSlot::stat(Tree& tree, const Slot& slot, std::size_t scheme, const char* name) {
    return tree
        .number(slot_path(slot.number(),
                          "contexts/0/schemes/" + std::to_string(scheme) + "/stats/" + name))
        .value_or(0);
}

bool MoveSlot::is_over(Slot& slot, Ownership& ownership) {
    if (is_bare(slot)) {
        return true;
    }
    Tree& tree = ownership.tree();
    const auto worker = tree.worker(slot.number());
    if (!worker || *worker != slot.worker()) { // check() says so
        return true;
    }
    if (!tree.write(slot_path(slot.number(), "state"), "update_schemes_stats")) {
        return false;
    }
    for (std::size_t i = kLook + 1; i < schemes_; ++i) {
        // A snapshot is not counted where the quota is used up by it, nor tried where none matches.
        if (stat(tree, slot, i, "nr_snapshots") == 0 && stat(tree, slot, i, "nr_tried") == 0) {
            return false;
        }
    }
    return true;
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
        for (std::size_t i = kLook + 1; i < schemes_; ++i) {
            moved += stat(tree, slot, i, "sz_applied");
        }
    }
    commit(slot, ownership, options, {}, applied);
    return moved;
}

} // namespace cgtide::damon
