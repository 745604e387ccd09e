#include "engine/damon/ownership.hpp"

#include <algorithm>

namespace cgtide::damon {

namespace {

constexpr const char* kCount = "nr_kdamonds";
constexpr std::string_view kOp = "use DAMON:";

const Record::Worker* worker_of(const Record& record, std::size_t slot) {
    const auto found =
        std::find_if(record.workers.begin(), record.workers.end(),
                     [slot](const Record::Worker& worker) { return worker.slot == slot; });
    return found == record.workers.end() ? nullptr : &*found;
}

/// True where the first target of a slot is the engine's: everybody else's is another process.
bool has_our_sentinel(const Realm& realm, const Record& record, std::size_t slot) {
    const auto pid = realm.tree->read(slot_path(slot, "contexts/0/targets/0/pid_target"));
    return pid && *pid == std::to_string(record.engine);
}

/// True for a slot that is off and as the engine leaves it between two of its first writes.
bool is_being_made(const Realm& realm, const Record& record, std::size_t slot) {
    const auto contexts = realm.tree->number(slot_path(slot, "contexts/nr_contexts"));
    if (!contexts) {
        return false;
    }
    if (*contexts == 0) {
        return true;
    }
    if (worker_of(record, slot) == nullptr) {
        return false;
    }
    const auto targets = realm.tree->number(slot_path(slot, "contexts/0/targets/nr_targets"));
    const auto pid = realm.tree->read(slot_path(slot, "contexts/0/targets/0/pid_target"));
    return targets &&
           (*targets == 0 || (pid && *pid == "0") || has_our_sentinel(realm, record, slot));
}

/// True for a worker that the record knows by number and start.
bool is_our_worker(const Realm& realm, const Record& record, std::size_t slot, int pid) {
    const Record::Worker* worker = worker_of(record, slot);
    if (worker == nullptr) {
        return false;
    }
    if (worker->pid == 0) {
        // Killed between `on` and the note of its pid: the targets were all listed by then.
        return has_our_sentinel(realm, record, slot);
    }
    const auto start = realm.host->start_of(pid);
    return worker->pid == pid && start && *start == worker->start;
}

bool is_our_slot(const Realm& realm, const Record& record, std::size_t slot) {
    const auto pid = realm.tree->worker(slot);
    if (!pid) {
        return false;
    }
    return *pid != 0 ? is_our_worker(realm, record, slot, *pid)
                     : is_being_made(realm, record, slot);
}

/// Ends the workers that are ours, and no others.
Result<void> end_workers(const Realm& realm, const Record& record) {
    for (const Record::Worker& worker : record.workers) {
        const auto pid = realm.tree->worker(worker.slot);
        if (!pid || *pid == 0 || !is_our_worker(realm, record, worker.slot, *pid)) {
            continue;
        }
        if (auto done = realm.tree->write(slot_path(worker.slot, "state"), "off"); !done) {
            // It may have ended by itself in between.
            const auto still = realm.tree->worker(worker.slot);
            if (!still || *still != 0) {
                return done;
            }
        }
    }
    return {};
}

/// Starts the modules again; those that cannot stay in the record, which goes when none is left.
Result<Recovered> give_back(const Realm& realm, Record record, Recovered::What what) {
    Recovered done{.what = what, .started = {}, .owed = {}};
    const auto count = realm.tree->number(kCount);
    const bool free = count && *count == 0;
    for (const std::string& name : record.modules) {
        if (free && set_module(*realm.modules, name, true)) {
            done.started.push_back(name);
        } else {
            done.owed.push_back(name);
        }
    }
    if (done.owed.empty()) {
        return realm.run->remove(kRecordFile).map([&] { return done; });
    }
    record.slots = 0;
    record.workers.clear();
    record.modules = done.owed;
    return save_record(*realm.run, record).map([&] { return done; });
}

/// Undoes all that the record tells, and no more than what is surely ours where anybody else has
/// begun to use the tree.
Result<Recovered> undo(const Realm& realm, const Record& record) {
    const auto count = realm.tree->number(kCount);
    if (!count) {
        return tl::unexpected(count.error());
    }
    if (*count == 0) {
        return give_back(realm, record, Recovered::What::cleaned);
    }
    bool ours = *count == record.slots;
    for (std::size_t slot = 0; ours && slot < record.slots; ++slot) {
        ours = is_our_slot(realm, record, slot);
    }
    if (auto done = end_workers(realm, record); !done) {
        return tl::unexpected(done.error());
    }
    if (!ours) {
        return give_back(realm, record, Recovered::What::theirs);
    }
    if (auto done = realm.tree->write(kCount, "0"); !done) {
        return tl::unexpected(done.error());
    }
    return give_back(realm, record, Recovered::What::cleaned);
}

bool is_alive(const Realm& realm, const Record& record) {
    const auto start = realm.host->start_of(record.engine);
    return start && *start == record.engine_start;
}

Result<Recovered> recover_record(const Realm& realm, const Record& record) {
    const auto boot = realm.host->boot_id();
    if (!boot) {
        return tl::unexpected(boot.error());
    }
    if (record.boot_id != *boot) {
        return realm.run->remove(kRecordFile).map([] {
            return Recovered{.what = Recovered::What::dropped, .started = {}, .owed = {}};
        });
    }
    if (is_alive(realm, record)) {
        return fail(Errc::conflict, kOp,
                    "the engine with pid " + std::to_string(record.engine) + " does");
    }
    return undo(realm, record);
}

/// Who uses the folders of DAMON's tree, for a message.
std::string users_of_tree(const Tree& tree, std::uint64_t count) {
    std::string text;
    for (std::size_t slot = 0; slot < count; ++slot) {
        const auto pid = tree.worker(slot);
        if (pid && *pid != 0) {
            text += (text.empty() ? "kdamond " : ", ") + std::to_string(*pid) + " (folder " +
                    std::to_string(slot) + ")";
        }
    }
    return text.empty() ? std::to_string(count) + " folders are configured and idle" : text;
}

/// \returns `conflict` where anybody but the modules uses DAMON, or a module that is not to be
///          stopped.
Result<void> refuse_others(const Realm& realm, const std::vector<Module>& modules, bool take) {
    const auto count = realm.tree->number(kCount);
    if (!count) {
        if (is_gone(count.error())) {
            return fail(Errc::unsupported, kOp, "no /sys/kernel/mm/damon/admin/kdamonds");
        }
        return tl::unexpected(count.error());
    }
    if (*count != 0) {
        return fail(Errc::conflict, kOp,
                    "somebody else does: " + users_of_tree(*realm.tree, *count));
    }
    std::size_t running = 0;
    for (const Module& module : modules) {
        running += module.enabled ? 1 : 0;
        if (module.enabled && !take) {
            return fail(Errc::conflict, kOp,
                        "the kernel's " + std::string(module.name) +
                            " does; damon.takeover = \"modules\" would stop it");
        }
    }
    const auto workers = realm.host->kdamonds();
    if (workers && workers->size() > running) {
        return fail(Errc::conflict, kOp,
                    "kdamond " + std::to_string(workers->back()) +
                        " is neither in DAMON's tree nor of a known module");
    }
    return {};
}

Result<Record> first_record(const Realm& realm, const Claim& claim,
                            const std::vector<Module>& modules) {
    auto boot = realm.host->boot_id();
    if (!boot) {
        return tl::unexpected(boot.error());
    }
    const auto start = realm.host->start_of(claim.engine);
    if (!start) {
        return tl::unexpected(start.error());
    }
    Record record{.boot_id = std::move(*boot),
                  .engine = claim.engine,
                  .engine_start = *start,
                  .slots = claim.slots,
                  .workers = {},
                  .modules = {}};
    for (const Module& module : modules) {
        if (module.enabled) {
            record.modules.emplace_back(module.name);
        }
    }
    return record;
}

} // namespace

Result<Recovered> recover(const Realm& realm) {
    const auto record = load_record(*realm.run);
    if (!record) {
        const auto count = realm.tree->number(kCount);
        if (count && *count != 0) {
            return tl::unexpected(record.error());
        }
        return realm.run->remove(kRecordFile).map([] {
            return Recovered{.what = Recovered::What::dropped, .started = {}, .owed = {}};
        });
    }
    return *record ? recover_record(realm, **record) : Recovered{};
}

Result<Ownership> Ownership::acquire(const Realm& realm, const Claim& claim) {
    auto before = recover(realm);
    if (!before) {
        return tl::unexpected(before.error());
    }
    const auto modules = read_modules(*realm.modules);
    if (auto free = refuse_others(realm, modules, claim.take_modules); !free) {
        return tl::unexpected(free.error());
    }
    auto record = first_record(realm, claim, modules);
    if (!record) {
        return tl::unexpected(record.error());
    }
    for (const std::string& owed : before->owed) {
        record->modules.push_back(owed);
    }
    Ownership ownership(realm, std::move(*record));
    auto done = ownership.save();
    for (const std::string& name : ownership.record_.modules) {
        done = done.and_then([&] { return set_module(*realm.modules, name, false); });
    }
    done = done.and_then([&] { return realm.tree->write(kCount, std::to_string(claim.slots)); });
    if (!done) {
        (void)give_back(realm, ownership.record_, Recovered::What::cleaned);
        return tl::unexpected(done.error());
    }
    return ownership;
}

Result<void> Ownership::save() {
    return save_record(*realm_.run, record_);
}

Result<void> Ownership::starting(std::size_t slot) {
    std::erase_if(record_.workers,
                  [slot](const Record::Worker& worker) { return worker.slot == slot; });
    record_.workers.push_back({slot, 0, 0});
    return save();
}

Result<void> Ownership::started(std::size_t slot, int pid) {
    const auto start = realm_.host->start_of(pid);
    if (!start) {
        return tl::unexpected(start.error());
    }
    for (Record::Worker& worker : record_.workers) {
        if (worker.slot == slot) {
            worker.pid = pid;
            worker.start = *start;
        }
    }
    return save();
}

Result<void> Ownership::stopped(std::size_t slot) {
    std::erase_if(record_.workers,
                  [slot](const Record::Worker& worker) { return worker.slot == slot; });
    return save();
}

Result<void> Ownership::lose() {
    record_.slots = 0;
    record_.workers.clear();
    return save();
}

Result<Recovered> Ownership::release() {
    auto done = undo(realm_, record_);
    if (done) {
        record_.slots = 0;
        record_.workers.clear();
        record_.modules = done->owed;
    }
    return done;
}

} // namespace cgtide::damon
