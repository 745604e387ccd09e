#pragma once

#include "engine/apps/reclaim.hpp"

#include <vector>

namespace cgtide::apps::test {

/// A container of 128 MiB under the eager profile on a node with swap, stepped period by period.
struct Scene {
    model::Policy policy;
    model::Snapshot now;
    model::NodeView node;
    model::State state;
    std::vector<model::Outcome> outcomes;
    model::App app = reclaim_app();
    std::shared_ptr<model::IdleView> view; ///< what see() made

    Scene() {
        policy.profile = model::default_settings().profiles.at("eager");
        policy.apps = {model::AppName::reclaim};
        now.id = CgroupId{7};
        now.at = TimePoint(std::chrono::hours(1));
        now.lived = std::chrono::hours(1);
        now.usage = mebibytes(128);
        now.stat.emplace();
        now.stat->anon = mebibytes(96);
        now.stat->file = mebibytes(32);
        now.stat->inactive_anon = mebibytes(96);
        now.stat->inactive_file = mebibytes(32);
        now.memory_pressure.emplace();
        now.io_pressure.emplace();
        now.events.emplace();
        now.swap_usage.emplace();
        node.swap_total = mebibytes(512);
        node.swap_free = mebibytes(512);
        node.swappiness_key = true;
        node.swappiness_max = true;
        node.actuators.pageout = true;
        state = app.init(policy, now.at);
    }

    /// One period later: the decision.
    model::Decision step() {
        now.at += policy.profile.period;
        if (view) {
            view->at = now.at;
        }
        model::Step step = app.step(state, policy, now, outcomes, node);
        state = step.state;
        outcomes.clear();
        return step.decisions.at(0);
    }

    /// What the sensor for regions tells from now on, after `watched`.
    void see(std::vector<model::IdleSlice> slices,
             Microseconds watched = std::chrono::minutes(10)) {
        view = std::make_shared<model::IdleView>();
        view->at = now.at;
        view->resolution = Microseconds(1'000'000);
        view->watched = watched;
        view->slices = std::move(slices);
        now.idle = view;
    }

    void stall_memory(Microseconds stall) { now.memory_pressure->some.total += stall; }
    void stall_io(Microseconds stall) { now.io_pressure->some.total += stall; }
    void refault(Bytes bytes) { now.stat->workingset_refault_anon += bytes.count / 4096; }

    void report(Bytes asked, Bytes taken, Microseconds cpu = Microseconds(0)) {
        model::Outcome outcome;
        outcome.app = model::AppName::reclaim;
        outcome.id = now.id;
        outcome.at = now.at + Microseconds(1);
        outcome.asked = asked;
        outcome.taken = taken;
        outcome.cpu = cpu;
        outcomes.push_back(outcome);
    }

    /// What came of a request of proven age: `stuck` of it was advised and stayed.
    void report_cold(Bytes asked, Bytes taken, Bytes stuck = {},
                     model::Actuator actuator = model::Actuator::pageout) {
        model::Outcome outcome;
        outcome.app = model::AppName::reclaim;
        outcome.id = now.id;
        outcome.at = now.at + Microseconds(1);
        outcome.asked = asked;
        outcome.taken = taken;
        outcome.actuator = actuator;
        outcome.proven = true;
        outcome.found = taken + stuck;
        outcome.stuck = stuck;
        outcomes.push_back(outcome);
    }

    const model::ReclaimState& reclaim_state() const {
        return std::get<model::ReclaimState>(state);
    }
};

/// 32 MiB in use, `anon` and `file` bytes idle for ten minutes.
struct ColdScene : Scene {
    explicit ColdScene(Bytes anon = mebibytes(64), Bytes file = {}) {
        show(anon, file);
        step();
    }
    void show(Bytes anon, Bytes file = {}) {
        now.stat->anon = now.stat->inactive_anon = mebibytes(32) + anon;
        now.stat->file = now.stat->inactive_file = file;
        now.usage = now.stat->anon + now.stat->file;
        see({{Microseconds(0), mebibytes(32), Bytes{}}, {std::chrono::minutes(10), anon, file}});
    }
};

} // namespace cgtide::apps::test
