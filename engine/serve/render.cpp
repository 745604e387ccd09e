#include "engine/serve/render.hpp"

#include "engine/serve/values.hpp"

#include <array>
#include <cmath>
#include <system_error>

#include <nlohmann/json.hpp>

namespace cgtide::serve {

namespace {

using nlohmann::json;

/// Only shares have fractions: bytes, times and counts are whole.
json input_value(std::string_view key, double value) {
    if (!std::isfinite(value)) {
        return nullptr;
    }
    return key.ends_with("_bp") ? json(value) : json(std::llround(value));
}

json inputs_of(const model::Reason& reason) {
    json inputs = json::object();
    for (const model::Input& input : reason.inputs()) {
        const std::string_view key = model::to_string(input.key);
        inputs[std::string(key)] = input_value(key, input.value);
    }
    return inputs;
}

json apps_of(const std::vector<model::AppName>& apps) {
    json names = json::array();
    for (const model::AppName app : apps) {
        names.push_back(model::to_string(app));
    }
    return names;
}

json outcome_of(const model::Outcome& outcome) {
    return {{"asked_bytes", bytes(outcome.asked)},
            {"taken_bytes", bytes(outcome.taken)},
            {"wall_us", outcome.wall.count()},
            {"cpu_us", outcome.cpu.count()},
            {"end", model::to_string(outcome.end)},
            {"error", outcome.error != 0 ? json(std::generic_category().message(outcome.error))
                                         : json(nullptr)}};
}

json faults_of(const std::vector<model::PolicyFault>& faults) {
    json list = json::array();
    for (const model::PolicyFault& fault : faults) {
        list.push_back({{"key", fault.key},
                        {"value", fault.value},
                        {"message", fault.message},
                        {"app", fault.app ? json(model::to_string(*fault.app)) : json(nullptr)}});
    }
    return list;
}

json amount_of(const model::Amount& amount) {
    const auto* size = std::get_if<Bytes>(&amount);
    const auto* share = std::get_if<BasisPoints>(&amount);
    return {{"bytes", size != nullptr ? bytes(*size) : json(nullptr)},
            {"bp", share != nullptr ? json(share->count) : json(nullptr)}};
}

json policy_of(const model::Policy& policy) {
    const model::ReclaimPolicy& reclaim = policy.reclaim;
    const auto* keep_bytes = std::get_if<Bytes>(&reclaim.keep);
    const auto* keep_share = std::get_if<BasisPoints>(&reclaim.keep);
    return {{"profile",
             {{"name", policy.profile.name},
              {"ratio", policy.profile.ratio},
              {"max_bp", policy.profile.max.count},
              {"period_us", policy.profile.period.count()},
              {"cpu_bp", policy.profile.cpu.count}}},
            {"pressure_bp", reclaim.pressure.count},
            {"idle_us", reclaim.idle.count()},
            {"keep_bytes", keep_bytes != nullptr ? bytes(*keep_bytes) : json(nullptr)},
            {"keep_bp", keep_share != nullptr ? json(keep_share->count) : json(nullptr)},
            {"pages", model::to_string(reclaim.pages)},
            {"fast_low", amount_of(policy.tier.low)},
            {"fast_high", amount_of(policy.tier.high)}};
}

json counters_of(const model::Snapshot& now) {
    const auto stat = [&](const auto& read) {
        return now.stat ? integer(read(*now.stat)) : json(nullptr);
    };
    const auto events = [&](const auto& read) {
        return now.events ? integer(read(*now.events)) : json(nullptr);
    };
    const auto stall = [](const std::optional<cgroup::Pressure>& pressure) {
        return pressure ? json(pressure->some.total.count()) : json(nullptr);
    };
    return {{"anon_bytes", stat([](const auto& s) { return s.anon.count; })},
            {"file_bytes", stat([](const auto& s) { return s.file.count; })},
            {"kernel_bytes", stat([](const auto& s) { return s.kernel.count; })},
            {"shmem_bytes", stat([](const auto& s) { return s.shmem.count; })},
            {"swap_limit_bytes", bytes(now.swap_limit)},
            {"min_bytes", bytes(now.protection.min)},
            {"low_bytes", bytes(now.protection.low)},
            {"memory_stall_us", stall(now.memory_pressure)},
            {"io_stall_us", stall(now.io_pressure)},
            {"refaults_anon", stat([](const auto& s) { return s.workingset_refault_anon; })},
            {"refaults_file", stat([](const auto& s) { return s.workingset_refault_file; })},
            {"major_faults", stat([](const auto& s) { return s.pgmajfault; })},
            {"oom_kills", events([](const auto& e) { return e.oom_kill; })},
            {"max_events", events([](const auto& e) { return e.max; })},
            {"lived_us", now.lived.count()},
            {"frozen", now.frozen},
            {"has_nested", now.has_nested}};
}

json rates_of(const model::StatState& stat) {
    return {{"refaults_per_second", stat.refaults_per_second},
            {"memory_pressure_bp", stat.memory_pressure.count},
            {"io_pressure_bp", stat.io_pressure.count}};
}

/// Nothing is proven beyond the time watched: no bytes there are unknown, not 0.
json cold_of(const model::IdleSummary& idle) {
    json list = json::array();
    for (const model::ColdBytes& cold : idle.cold) {
        const bool known = cold.age <= idle.watched;
        list.push_back({{"age_us", cold.age.count()},
                        {"anon_bytes", known ? bytes(cold.anon) : json(nullptr)},
                        {"file_bytes", known ? bytes(cold.file) : json(nullptr)},
                        {"unsure_bytes", known ? bytes(cold.unsure) : json(nullptr)}});
    }
    return list;
}

json coverage_of(const model::IdleSummary& idle) {
    const auto charged = static_cast<double>((idle.seen + idle.unseen).count);
    return charged > 0.0 ? json(static_cast<double>(idle.seen.count) / charged * 10000.0)
                         : json(nullptr);
}

/// The fields of model::kShownAges.
constexpr std::array<const char*, model::kShownAges.size()> kShownNames{
    "cold_10s_bytes", "cold_1m_bytes", "cold_10m_bytes"};

} // namespace

json render(const model::JournalEntry& entry) {
    return {{"sequence", integer(entry.sequence)},
            {"first_ms", entry.wall_ms},
            {"last_ms", entry.last_ms},
            {"repeats", entry.repeats},
            {"app", model::to_string(entry.app)},
            {"acted", entry.acted},
            {"actuator", entry.acted ? json(model::to_string(entry.actuator)) : json(nullptr)},
            {"ask_bytes", bytes(entry.ask)},
            {"reason", model::to_string(entry.reason.code())},
            {"inputs", inputs_of(entry.reason)},
            {"text", model::explain(entry.reason)},
            {"outcome", entry.outcome ? outcome_of(*entry.outcome) : json(nullptr)}};
}

json render(const model::ContainerSummary& container) {
    return {{"name", container.name},
            {"id", container.id},
            {"cgroup", integer(container.cgroup.value)},
            {"path", container.path},
            {"apps", apps_of(container.apps)},
            {"ended", container.ended},
            {"dry_run", container.dry_run},
            {"usage_bytes", bytes(container.usage)},
            {"swap_bytes", bytes(container.swap)},
            {"memory_pressure_bp",
             container.memory_pressure ? json(container.memory_pressure->count) : json(nullptr)},
            {"taken_bytes", bytes(container.taken)},
            {"registered_ms", container.registered_ms},
            {"faults", container.faults},
            {"last", container.last ? render(*container.last) : json(nullptr)}};
}

json render(const model::ContainerDetail& detail) {
    return {{"container", render(detail.summary)},
            {"bundle", detail.bundle},
            {"pid", detail.pid},
            {"policy", policy_of(detail.policy)},
            {"attached", apps_of(detail.attached)},
            {"detached", apps_of(detail.detached)},
            {"counters", detail.snapshot ? counters_of(*detail.snapshot) : json(nullptr)},
            {"rates", detail.stat ? rates_of(*detail.stat) : json(nullptr)},
            {"idle", detail.idle ? render(*detail.idle) : json(nullptr)},
            {"floor_bytes", bytes(detail.floor)},
            {"period_us", detail.period.count()},
            {"age", detail.age},
            {"faults", faults_of(detail.policy.faults)}};
}

json render(const model::IdleFigures& figures) {
    const model::IdleSummary& idle = figures.summary;
    json percentiles = json::array();
    for (const Microseconds value : idle.percentiles) {
        percentiles.push_back(value.count());
    }
    return {{"source", model::to_string(idle.source)},
            {"choice", model::to_string(idle.choice)},
            {"age_ms", figures.age.count() / 1000},
            {"resolution_us", idle.resolution.count()},
            {"watched_us", idle.watched.count()},
            {"cpu_us", idle.cpu ? json(idle.cpu->count()) : json(nullptr)},
            {"percentiles_us", std::move(percentiles)},
            {"cold", cold_of(idle)},
            {"working_set_bytes", bytes(idle.working_set)},
            {"working_set_window_us", model::kWorkingSetWindow.count()},
            {"seen_bytes", bytes(idle.seen)},
            {"unsure_bytes", bytes(idle.unsure)},
            {"unseen_bytes", bytes(idle.unseen)},
            {"charged_bytes", bytes(idle.seen + idle.unseen)},
            {"coverage_bp", coverage_of(idle)},
            {"processes", idle.processes},
            {"unwatched", idle.unwatched},
            {"page_cache", model::to_string(idle.page_cache)}};
}

json render(const model::SpaceMap& space) {
    json regions = json::array();
    for (const model::RegionRow& row : space.regions) {
        regions.push_back({{"start", row.start},
                           {"end", row.end},
                           {"present_bytes", bytes(row.present)},
                           {"idle_us", row.idle.count()},
                           {"accesses", row.accesses},
                           {"mapping", row.mapping}});
    }
    const auto at = std::chrono::duration_cast<Microseconds>(space.at.time_since_epoch());
    return {{"key", space.key},
            {"pid", space.pid},
            {"at_us", at.count()},
            {"regions", std::move(regions)}};
}

json render(const model::StatRow& row) {
    constexpr std::size_t kMedian = 50;
    const auto kind = [&](Bytes cgroup::MemoryStat::*field) {
        return row.kinds ? bytes((*row.kinds).*field) : json(nullptr);
    };
    const auto share = [](const std::optional<BasisPoints>& value) {
        return value ? json(value->count) : json(nullptr);
    };
    const auto idle = [&](const auto& read) {
        return row.idle ? json(read(*row.idle)) : json(nullptr);
    };
    json out{{"name", row.name},
             {"id", row.id},
             {"ended", row.ended},
             {"usage_bytes", bytes(row.usage)},
             {"anon_bytes", kind(&cgroup::MemoryStat::anon)},
             {"file_bytes", kind(&cgroup::MemoryStat::file)},
             {"kernel_bytes", kind(&cgroup::MemoryStat::kernel)},
             {"shmem_bytes", kind(&cgroup::MemoryStat::shmem)},
             {"swap_bytes", bytes(row.swap)},
             {"memory_pressure_bp", share(row.memory_pressure)},
             {"io_pressure_bp", share(row.io_pressure)},
             {"refaults_per_second",
              row.refaults_per_second ? json(*row.refaults_per_second) : json(nullptr)}};
    out["source"] = idle([](const auto& told) { return model::to_string(told.source); });
    out["idle_age_ms"] = row.idle ? json(row.idle_age.count() / 1000) : json(nullptr);
    out["median_idle_us"] =
        idle([](const auto& told) { return told.percentiles.at(kMedian).count(); });
    out["working_set_bytes"] = idle([](const auto& told) { return bytes(told.working_set); });
    for (std::size_t i = 0; i < kShownNames.size(); ++i) {
        out[kShownNames.at(i)] = idle(
            [i](const auto& told) { return bytes(model::cold_at(told, model::kShownAges.at(i))); });
    }
    out["unseen_bytes"] = idle([](const auto& told) { return bytes(told.unseen); });
    out["unseen_bp"] = idle([](const auto& told) {
        const json seen = coverage_of(told);
        return seen.is_null() ? seen : json(10000.0 - seen.template get<double>());
    });
    return out;
}

json render(const model::HistoryPoint& point) {
    json out{{"at_ms", point.wall_ms},
             {"usage_bytes", bytes(point.usage)},
             {"working_set_bytes", bytes(point.working_set)},
             {"unseen_bytes", bytes(point.unseen)},
             {"median_idle_us", point.median.count()},
             {"memory_pressure_bp", point.memory_pressure.count},
             {"refaults_per_second", point.refaults_per_second}};
    for (std::size_t i = 0; i < kShownNames.size(); ++i) {
        out[kShownNames.at(i)] = bytes(point.cold.at(i));
    }
    return out;
}

json render(const model::WhatIf& answer) {
    return {{"idle_us", answer.idle.count()},
            {"anon_bytes", bytes(answer.anon)},
            {"file_bytes", bytes(answer.file)},
            {"kept_by_kind_bytes", bytes(answer.kept_by_kind)},
            {"kept_by_floor_bytes", bytes(answer.kept_by_floor)},
            {"floor_bytes", bytes(answer.floor)},
            {"unproven_bytes", bytes(answer.unproven)},
            {"usage_bytes", bytes(answer.usage)}};
}

json render(const model::Suggestion& suggestion) {
    return {{"request_bytes", bytes(suggestion.request)},
            {"limit_bytes", bytes(suggestion.limit)},
            {"confidence", model::to_string(suggestion.confidence)},
            {"window_us", suggestion.window.count()},
            {"points", suggestion.points},
            {"working_set_bytes", bytes(suggestion.working_set)},
            {"highest_usage_bytes", bytes(suggestion.highest_usage)},
            {"unseen_bytes", bytes(suggestion.unseen)},
            {"refaulted_bytes", bytes(suggestion.refaulted)}};
}

json render(const model::RefusedRecord& record) {
    return {{"key", record.key},
            {"name", record.name},
            {"reason", record.reason},
            {"message", record.message}};
}

json render(const model::Capability& capability) {
    return {{"name", capability.name},         {"present", capability.present},
            {"required", capability.required}, {"probed", capability.probed},
            {"detail", capability.detail},     {"without", capability.without}};
}

template <class T>
json rendered(const std::vector<T>& values) {
    json list = json::array();
    for (const T& value : values) {
        list.push_back(render(value));
    }
    return list;
}

template json rendered(const std::vector<model::ContainerSummary>& values);
template json rendered(const std::vector<model::StatRow>& values);
template json rendered(const std::vector<model::HistoryPoint>& values);
template json rendered(const std::vector<model::JournalEntry>& values);
template json rendered(const std::vector<model::SpaceMap>& values);
template json rendered(const std::vector<model::RefusedRecord>& values);
template json rendered(const std::vector<model::Capability>& values);

} // namespace cgtide::serve
