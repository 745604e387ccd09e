#include "engine/core/admission.hpp"

#include "cgroup/base/text.hpp"
#include "cgroup/membership.hpp"
#include "cgroup/parse/flat.hpp"
#include "cgroup/shared.hpp"

namespace cgtide::core {

namespace {

Result<void> check_shared(const AdmissionQuery& query) {
    std::vector<cgroup::Registered> others;
    const std::string own_key = oci::record_key(query.record.bundle, query.record.id);
    for (const Resident& resident : query.residents) {
        if (resident.key != own_key) {
            others.push_back({resident.id, resident.name});
        }
    }
    const auto reason = cgroup::shared_reason({.path = query.record.cgroup_path,
                                               .id = query.record.cgroup,
                                               .hook_path = {},
                                               .engine_path = query.engine_path,
                                               .registered = others});
    if (reason) {
        return fail(Errc::conflict, "register", "shared-cgroup: " + *reason);
    }
    return {};
}

} // namespace

Result<Admitted> admit(const KernelRoots& roots, const AdmissionQuery& query) {
    const oci::Record& record = query.record;
    if (record.boot_id != query.boot_id) {
        return fail(Errc::gone, "register",
                    "boot_id " + printable(record.boot_id) + ": an earlier boot");
    }
    if (auto done = check_shared(query); !done) {
        return tl::unexpected(done.error());
    }
    auto dir = cgroup::open_group(roots.cgroup, record.cgroup_path);
    if (!dir) {
        return tl::unexpected(dir.error());
    }
    auto group = cgroup::Group::open(std::move(*dir));
    if (!group) {
        return tl::unexpected(group.error());
    }
    if (group->id() != record.cgroup) {
        return fail(Errc::gone, "register",
                    printable(record.cgroup_path) + " is cgroup " + to_string(group->id()) +
                        " now, registered was " + to_string(record.cgroup));
    }
    const auto frozen = frozen_now(group->dir());
    if (!frozen) {
        return tl::unexpected(frozen.error());
    }
    return Admitted{std::make_shared<cgroup::Group>(std::move(*group)), *frozen};
}

Result<bool> frozen_now(const Dir& group) {
    const auto text = group.read("cgroup.events");
    if (!text) {
        return tl::unexpected(text.error());
    }
    const auto events = cgroup::parse_cgroup_events(*text);
    if (!events) {
        return tl::unexpected(events.error());
    }
    if (!events->populated) {
        return fail(Errc::gone, "cgroup.events", "no process is left");
    }
    return events->frozen;
}

} // namespace cgtide::core
