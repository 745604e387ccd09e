#include "cgroup/base/text.hpp"
#include "engine/core/engine.hpp"
#include "engine/core/log.hpp"
#include "engine/core/offload.hpp"
#include "engine/core/wall_clock.hpp"
#include "oci/annotations.hpp"
#include "oci/policy/compile.hpp"

#include <algorithm>

namespace cgtide::core {

namespace asio = boost::asio;

namespace {

/// The stable word for why a record was refused.
std::string refusal(const Error& error) {
    if (error.code == make_error_code(Errc::unsupported)) {
        return "newer-version";
    }
    if (error.code == make_error_code(Errc::conflict)) {
        return "shared-cgroup";
    }
    return is_gone(error) ? "gone" : "malformed";
}

/// Those first whose cgroup was made first, for the kernel numbers them in that order: who came
/// first has what all share, after a restart too.
std::vector<const Found::Entry*> by_age(const Found& found) {
    const auto age = [](const Found::Entry* entry) {
        return entry->record ? entry->record->cgroup.value : 0;
    };
    std::vector<const Found::Entry*> entries;
    for (const Found::Entry& entry : found.entries) {
        entries.push_back(&entry);
    }
    std::stable_sort(entries.begin(), entries.end(),
                     [&](const auto* a, const auto* b) { return age(a) < age(b); });
    return entries;
}

/// Those first that came first.
std::vector<Registry::Pointer> by_age(std::vector<Registry::Pointer> containers) {
    std::stable_sort(containers.begin(), containers.end(),
                     [](const auto& a, const auto& b) { return a->seen < b->seen; });
    return containers;
}

std::vector<std::string> describe(const model::Policy& policy) {
    std::vector<std::string> lines;
    for (const model::PolicyFault& fault : policy.faults) {
        lines.push_back(printable(fault.key) + " = '" + printable(fault.value, 64) +
                        "': " + fault.message);
    }
    return lines;
}

} // namespace

asio::awaitable<Result<std::string>> Engine::enroll(oci::Record record) {
    const std::string key = oci::record_key(record.bundle, record.id);
    auto name = co_await adopt(record, false);
    if (name) {
        // The hook could not write the file, perhaps: a restart must find the container all the
        // same.
        const auto save = [&] {
            return options_.run.save(key, record);
        };
        const auto saved = co_await offload(sensors_, save);
        if (!saved) {
            log::write_limited(log::Level::warning, "save", saved.error().message());
        }
    }
    co_return name;
}

asio::awaitable<Result<void>> Engine::retire(std::string id, std::string bundle) {
    const Pointer container = registry_.by_key(oci::record_key(bundle, id));
    if (container == nullptr) {
        co_return fail(Errc::not_found, "unregister", printable(id));
    }
    container->stopped = true;
    const auto mark = [&] {
        return options_.run.mark_stopped(container->key);
    };
    const auto marked = co_await offload(sensors_, mark);
    if (!marked) {
        log::write_limited(log::Level::warning, "mark", marked.error().message());
    }
    co_await check(container);
    co_return Result<void>{};
}

asio::awaitable<void> Engine::rescan() {
    // Found lacks a default state, and a folder that did not change has nothing to say.
    struct Scan {
        std::int64_t begun_ms = 0;
        std::int64_t changed = 0;
        std::optional<Result<Found>> found;
        Result<int> swept = 0;
    };
    const auto look = [this] {
        constexpr std::chrono::seconds kAbandoned(10);
        Scan result{wall_clock_ms(), options_.run.changed().value_or(0), std::nullopt, 0};
        if (result.changed != scanned_) {
            result.found = options_.run.scan();
        }
        if (result.found && *result.found && (**result.found).unfinished) {
            result.swept = options_.run.sweep(kAbandoned);
        }
        return result;
    };
    const Scan scan = co_await offload(sensors_, look);
    if (!scan.found) {
        co_return;
    }
    if (!*scan.found) {
        log::write_limited(log::Level::error, "scan", scan.found->error().message());
        co_return;
    }
    if (!scan.swept) {
        log::write_limited(log::Level::warning, "sweep", scan.swept.error().message());
    }
    // The kernel's time stamps are coarse: a change right after this scan could carry the same one.
    constexpr std::int64_t kCoarse = 1'000'000'000;
    const bool settled = scan.changed + kCoarse < scan.begun_ms * 1'000'000;
    scanned_ = settled && !(**scan.found).unfinished ? scan.changed : 0;
    co_await take(**scan.found);
}

/// Holds the registry against what lies in the folder. `found` is the caller's until this returns.
asio::awaitable<void> Engine::take(const Found& found) {
    const auto refused = registry_.refused();
    for (const model::RefusedRecord& record : refused) {
        if (std::none_of(found.entries.begin(), found.entries.end(),
                         [&](const Found::Entry& entry) { return entry.key == record.key; })) {
            registry_.unrefuse(record.key);
        }
    }
    for (const Found::Entry* const place : by_age(found)) {
        const Found::Entry& entry = *place;
        if (!entry.record) {
            registry_.refuse(
                {entry.key, "", refusal(entry.record.error()), entry.record.error().message()});
            continue;
        }
        const Pointer known = registry_.by_key(entry.key);
        if (known != nullptr && known->id == entry.record->cgroup) {
            known->stopped = known->stopped || entry.stopped;
            continue;
        }
        const auto name = co_await adopt(*entry.record, entry.stopped);
        if (!name && entry.stopped) { // refused, and nothing more will come of it
            registry_.unrefuse(entry.key);
            co_await forget(entry.key, entry.record->cgroup);
        }
    }
    for (const std::string& key : found.orphans) {
        if (registry_.by_key(key) == nullptr) {
            co_await forget(key, CgroupId{});
        }
    }
}

asio::awaitable<void> Engine::forget(std::string key, CgroupId ended) {
    const auto remove = [&] {
        return options_.run.forget(key, ended);
    };
    const auto forgotten = co_await offload(sensors_, remove);
    if (!forgotten) {
        log::write_limited(log::Level::warning, "forget", forgotten.error().message());
    }
}

asio::awaitable<Result<std::string>> Engine::adopt(oci::Record record, bool stopped) {
    const std::string key = oci::record_key(record.bundle, record.id);
    const Pointer before = registry_.by_key(key);
    if (before != nullptr && before->id == record.cgroup) {
        co_return before->policy.name;
    }
    AdmissionQuery query{record, options_.boot_id, options_.engine_path, {}};
    for (const auto& [id, container] : registry_.live()) {
        query.residents.push_back({id, container->key, container->policy.name});
    }
    const auto hold = [&] {
        return admit(options_.roots, query);
    };
    auto admitted = co_await offload(sensors_, hold);
    if (!admitted) {
        const Error& error = admitted.error();
        if (!is_gone(error)) {
            const std::string name = printable(oci::display_name(record.annotations, record.id));
            registry_.refuse({key, name, refusal(error), error.message()});
            log::write_limited(log::Level::warning, key, name + ": " + error.message());
        } else if (before == nullptr) { // else what is kept is the successor's
            registry_.unrefuse(key);
            co_await forget(key, record.cgroup);
        }
        co_return tl::unexpected(error);
    }
    if (before != nullptr && !before->ended()) {
        co_await end(before, "its runtime made it anew");
    }
    const auto read_attachment = [&] {
        return options_.run.attachment(key);
    };
    auto attachment = co_await offload(sensors_, read_attachment);
    if (!attachment) {
        log::warning("{}", attachment.error().message());
        attachment = Attachment{};
    }
    // Another task may have adopted it, or its cgroup, while this one waited.
    if (const Pointer known = registry_.by_id(record.cgroup); known != nullptr) {
        if (known->key == key) {
            co_return known->policy.name;
        }
        co_return fail(Errc::conflict, "register",
                       "shared-cgroup: " + known->policy.name + " has registered it");
    }
    auto name = install(std::move(record), std::move(*admitted), std::move(*attachment), stopped);
    if (before != nullptr) {
        admit_waiting(); // after its successor
    }
    if (const Pointer container = registry_.by_key(key)) {
        // What changed before the watch stood is read once after it.
        co_await check(container);
    }
    co_return name;
}

Result<std::string> Engine::install(oci::Record record, Admitted admitted, Attachment attachment,
                                    bool stopped) {
    auto container = std::make_shared<Container>();
    container->key = oci::record_key(record.bundle, record.id);
    container->id = record.cgroup;
    container->record = std::move(record);
    container->group = std::move(admitted.group);
    container->attachment = std::move(attachment);
    container->seen = std::chrono::steady_clock::now();
    container->registered_ms = wall_clock_ms();
    container->frozen = admitted.frozen;
    container->stopped = stopped;
    if (auto watched = options_.watcher.add(container->id, container->group->dir()); !watched) {
        return tl::unexpected(watched.error());
    }
    registry_.unrefuse(container->key);
    registry_.add(container);
    compile(container);
    std::string apps;
    for (const model::AppName app : container->apps()) {
        apps += (apps.empty() ? "" : ",") + std::string(model::to_string(app));
    }
    log::info("{} (id {}): registered, apps {}", container->policy.name, container->id.value,
              apps.empty() ? "none" : apps);
    for (const std::string& line : describe(container->policy)) {
        log::warning("{}: {}", container->policy.name, line);
    }
    wake();
    return container->policy.name;
}

void Engine::compile(const Pointer& pointer) {
    Container& container = *pointer;
    container.policy = policy::compile(
        container.record.annotations,
        {container.record.id, container.record.cgroup_path, fast_tier()}, options_.settings);
    const auto admitted = admit_low(container);
    container.low_refused = !admitted;
    if (!admitted) {
        std::erase(container.policy.apps, model::AppName::tier);
        container.policy.tier.low = Bytes{0}; // root may attach the app all the same
        container.policy.faults.push_back(
            {"cgtide.io/tier.fast", "", admitted.error().detail, model::AppName::tier});
    }
    settle_tenants(container, std::chrono::steady_clock::now());
    end_unwanted_write(pointer);
}

/// In the order in which they came, so that those have their LOW who came first.
void Engine::compile_all() {
    const std::vector<Pointer> containers = by_age(registry_.list(false));
    for (const Pointer& container : containers) {
        container->policy.tier.low = Bytes{0}; // until its turn comes
    }
    for (const Pointer& container : containers) {
        compile(container);
    }
}

/// Some LOW has ended, perhaps: who was refused for it may have room now.
void Engine::admit_waiting() {
    for (const Pointer& container : by_age(registry_.list(false))) {
        if (container->low_refused) {
            compile(container);
            wake();
        }
    }
}

/// Whether some container's share was refused where there are no tiers: some may come.
bool Engine::awaits_tiers() const {
    const auto& live = registry_.live();
    return fast_tier().count == 0 && std::any_of(live.begin(), live.end(), [](const auto& one) {
               return is_share_refused(*one.second);
           });
}

asio::awaitable<void> Engine::check(Pointer container) {
    if (container->ended()) {
        co_return;
    }
    const auto group = container->group;
    const auto read_events = [&] {
        return frozen_now(group->dir());
    };
    const auto frozen = co_await offload(sensors_, read_events);
    if (container->ended()) {
        co_return;
    }
    if (frozen) {
        container->frozen = *frozen;
    } else if (is_gone(frozen.error())) {
        co_await end(container, frozen.error().detail);
        admit_waiting();
    } else {
        log::write_limited(log::Level::warning, container->policy.name + " events",
                           container->policy.name + ": " + frozen.error().message());
    }
}

asio::awaitable<void> Engine::end(Pointer container, std::string why) {
    if (container->writing) {
        container->writing->stop();
    }
    options_.watcher.remove(container->id);
    registry_.end(container->id, wall_clock_ms(), std::chrono::steady_clock::now());
    log::info("{} (id {}): ended, {}", container->policy.name, container->id.value, why);
    co_await forget(container->key, container->id);
}

asio::awaitable<Result<void>> Engine::attach(std::string name, model::AppName app) {
    return change_attachment(std::move(name), app, true);
}

asio::awaitable<Result<void>> Engine::detach(std::string name, model::AppName app) {
    return change_attachment(std::move(name), app, false);
}

asio::awaitable<Result<void>> Engine::change_attachment(std::string name, model::AppName app,
                                                        bool attached) {
    const auto found = registry_.find(name);
    if (!found) {
        co_return tl::unexpected(found.error());
    }
    const Pointer& container = *found;
    if (container->ended()) {
        co_return fail(Errc::not_found, "container", container->policy.name + " has ended");
    }
    Attachment& attachment = container->attachment;
    const Attachment before = attachment;
    std::erase(attachment.added, app);
    std::erase(attachment.removed, app);
    if (container->policy.runs(app) != attached) {
        (attached ? attachment.added : attachment.removed).push_back(app);
    }
    if (attached && app == model::AppName::tier) {
        if (const auto admitted = admit_low(*container); !admitted) {
            attachment = before;
            co_return fail(Errc::denied, "attach", admitted.error().detail);
        }
    }
    settle_tenants(*container, std::chrono::steady_clock::now());
    end_unwanted_write(container);
    if (!attached) {
        admit_waiting();
    }
    wake();
    const auto keep = [&, kept = attachment] {
        return options_.run.attach(container->key, kept);
    };
    co_return co_await offload(sensors_, keep);
}

} // namespace cgtide::core
