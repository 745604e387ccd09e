#pragma once

#include "engine/damon/host.hpp"
#include "engine/damon/record.hpp"
#include "engine/damon/support.hpp"

namespace cgtide::damon {

/// Where ownership is read and kept. All of it must outlive what is made with it.
struct Realm {
    const Dir* run = nullptr;   ///< the folder of the record
    Tree* tree = nullptr;       ///< DAMON's tree
    Files* modules = nullptr;   ///< files below `/sys/module`
    const Host* host = nullptr; ///< /proc
};

/// What recover() found and did.
struct Recovered {
    enum class What {
        nothing, ///< there was no record
        dropped, ///< a record of another boot, or one that nothing in the kernel belongs to
        cleaned, ///< what an engine had left is undone
        theirs,  ///< somebody else uses the tree now: only workers that are surely ours were ended
    };
    What what = What::nothing;
    std::vector<std::string> started; ///< modules that run again
    std::vector<std::string> owed;    ///< modules that do not yet: the record keeps them
};

/// Undoes what an engine that was killed has left, at any point of its life. For the next start and
/// for `cgtided --cleanup`. Modules are started again only while nobody uses the tree.
///
/// \returns `conflict` where the engine of the record lives, `malformed` for a record that cannot
/// be
///          read while the tree is in use. Blocks as the tree does.
Result<Recovered> recover(const Realm& realm);

/// How to come to own DAMON.
struct Claim {
    std::size_t slots = 64;
    bool take_modules = true; ///< stop the kernel's own users of DAMON for as long as we run
    int engine = 0;           ///< our own pid
};

/// The right to use DAMON's tree: nobody else uses it, and what we change is written down first.
class Ownership {
public:
    /// Cleans up what an earlier engine left, makes sure that nobody uses DAMON, writes the record,
    /// stops the modules and makes the slots.
    ///
    /// \returns `conflict` that names who uses DAMON, with nothing written; `unsupported` where the
    ///          kernel has no such tree. Blocks as the tree does.
    static Result<Ownership> acquire(const Realm& realm, const Claim& claim);

    std::size_t slots() const { return record_.slots; }
    int engine() const { return record_.engine; }
    const Host& host() const { return *realm_.host; }
    Tree& tree() const { return *realm_.tree; }

    /// To be called before the first write below a slot.
    Result<void> starting(std::size_t slot);
    /// To be called when its worker was seen.
    Result<void> started(std::size_t slot, int pid);
    /// To be called when a slot is bare and off again.
    Result<void> stopped(std::size_t slot);

    /// The tree is somebody else's from now on: only the modules stay written down.
    Result<void> lose();

    /// Ends all workers of ours, removes the slots, starts the modules again, removes the record.
    /// What cannot be done now stays in the record, and recover() can do it later.
    Result<Recovered> release();

private:
    Ownership(const Realm& realm, Record record) : realm_(realm), record_(std::move(record)) {}

    Result<void> save();

    Realm realm_;
    Record record_;
};

} // namespace cgtide::damon
