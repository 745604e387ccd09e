// Many containers, one budget: apps, arbiter and budget as the engine has them work together.
#include "engine/apps/reclaim.hpp"
#include "engine/core/arbiter.hpp"
#include "engine/core/budget.hpp"
#include "engine/core/container.hpp"

#include <map>

#include <gmock/gmock.h>

namespace cgtide::core {
namespace {

using model::ReasonCode;

/// Containers of 256 MiB, all of unknown age, on a node of which time passes second by second.
class Crowd {
public:
    explicit Crowd(model::NodeLimits limits) : budget_(limits) {
        node_.swap_total = node_.swap_free = mebibytes(4096);
        node_.swappiness_key = true;
    }

    void add(int count, const model::Profile& profile, bool dry_run = false) {
        for (int i = 0; i < count; ++i) {
            auto container = std::make_unique<Container>();
            container->id = CgroupId{containers_.size() + 1};
            container->policy.profile = profile;
            container->policy.apps = {model::AppName::reclaim};
            container->policy.dry_run = dry_run;
            settle_tenants(*container, now_);
            containers_.push_back(std::move(container));
        }
    }

    void set_swap_free(Bytes bytes) { node_.swap_free = bytes; }

    void pass(int seconds) {
        for (int i = 0; i < seconds; ++i) {
            now_ += std::chrono::seconds(1);
            tick();
        }
    }

    /// Requests that the container made so far.
    int served(std::size_t index) const {
        const auto found = served_.find(index + 1);
        return found == served_.end() ? 0 : found->second;
    }
    Bytes taken() const { return taken_; }

private:
    Container& of(CgroupId id) { return *containers_.at(id.value - 1); }

    void tick() {
        std::vector<model::Decision> decisions;
        for (const auto& container : containers_) {
            auto& tenant = container->tenants[static_cast<std::size_t>(model::AppName::reclaim)];
            if (tenant->due > now_) {
                continue;
            }
            tenant->due = next_due(now_, container->policy.profile.period);
            model::Step step = app_.step(tenant->state, container->policy, snapshot(*container),
                                         tenant->inbox, node_);
            tenant->state = std::move(step.state);
            tenant->inbox.clear();
            decisions.push_back(step.decisions.at(0));
        }
        budget_.fill(now_);
        const auto standing = [&](CgroupId id) {
            const Container& container = of(id);
            return Standing{.is_dry_run = container.policy.dry_run,
                            .waited = std::chrono::duration_cast<Microseconds>(
                                now_ - container.waiting.value_or(now_))};
        };
        const Bytes reserve{node_.swap_total.count / 10};
        const Allowance allowance{.cpu_debt = budget_.cpu_debt(),
                                  .room = budget_.room(),
                                  .swap_room = budget_.swap_room(),
                                  .swap_free = node_.swap_free - reserve};
        for (const model::Decision& decision :
             arbitrate(std::move(decisions), standing, allowance)) {
            of(decision.id).note(decision, now_);
            if (decision.ask.count > 0) {
                carry_out(decision);
            }
        }
    }

    void carry_out(const model::Decision& decision) {
        model::Outcome outcome;
        outcome.asked = decision.ask;
        outcome.at = now_;
        ++served_[decision.id.value];
        if (of(decision.id).policy.dry_run) {
            outcome.end = model::OutcomeEnd::dry_run;
        } else {
            outcome.taken = decision.ask;
            taken_ = taken_ + decision.ask;
            budget_.spend(decision.ask, decision.pages);
            budget_.settle(outcome, decision.pages);
        }
        of(decision.id)
            .tenants[static_cast<std::size_t>(model::AppName::reclaim)]
            ->inbox.push_back(outcome);
    }

    model::Snapshot snapshot(const Container& container) const {
        model::Snapshot snapshot;
        snapshot.id = container.id;
        snapshot.at = now_;
        snapshot.lived = std::chrono::hours(1);
        snapshot.usage = mebibytes(256);
        snapshot.stat.emplace();
        snapshot.stat->anon = snapshot.stat->inactive_anon = mebibytes(256);
        snapshot.memory_pressure.emplace();
        snapshot.events.emplace();
        return snapshot;
    }

    model::App app_ = apps::reclaim_app();
    model::NodeView node_;
    Budget budget_;
    TimePoint now_{std::chrono::hours(1)};
    std::vector<std::unique_ptr<Container>> containers_;
    std::map<std::uint64_t, int> served_;
    Bytes taken_;
};

model::Profile eager() {
    return model::default_settings().profiles.at("eager");
}

TEST(Fairness, TwoHundredContainersAtOnceAreAllServedAlike) {
    Crowd crowd({.rate = mebibytes(10)});
    crowd.add(200, eager());
    crowd.pass(200);
    int least = crowd.served(0);
    int most = least;
    for (std::size_t i = 1; i < 200; ++i) {
        least = std::min(least, crowd.served(i));
        most = std::max(most, crowd.served(i));
    }
    EXPECT_GE(least, 5);
    EXPECT_LE(most - least, 2);
    EXPECT_LE(crowd.taken(), mebibytes(10 * 206)); // six seconds' worth at first
}

/// Who saves for a request between two of them has not given up its place.
TEST(Fairness, AContainerAtASlowPaceIsServedBesideThoseThatAskEachPeriod) {
    Crowd crowd({.rate = mebibytes(1)});
    crowd.add(40, eager());
    crowd.add(1, model::Profile{});
    crowd.pass(1200);
    EXPECT_GE(crowd.served(40), 10);
}

/// Those of a long period are turned away seldom, and come first all the same once they have waited
/// for longer: all the room at their moments is theirs, that of two seconds each thirty.
TEST(Fairness, WaitingIsCountedInTimeNotInTurns) {
    model::Profile slow = eager();
    slow.period = Microseconds(30'000'000);
    Crowd crowd({.rate = mebibytes(1)});
    crowd.add(40, eager());
    crowd.add(40, slow);
    crowd.pass(1200);
    int seldom = 0;
    for (std::size_t i = 40; i < 80; ++i) {
        EXPECT_GE(crowd.served(i), 1);
        seldom += crowd.served(i);
    }
    EXPECT_GE(seldom, 70);
}

TEST(Fairness, DryRunsTakeNothingFromTheOthers) {
    Crowd crowd({.rate = mebibytes(1)});
    crowd.add(200, eager(), true);
    crowd.add(1, eager());
    crowd.pass(200);
    EXPECT_GE(crowd.served(200), 90);
    EXPECT_GE(crowd.served(0), 90);
}

TEST(Fairness, ScarceSwapGoesFromOneToTheNext) {
    Crowd crowd({});
    crowd.set_swap_free(mebibytes(412)); // 2.4 MiB beyond the reserve
    crowd.add(10, eager());
    crowd.pass(100);
    for (std::size_t i = 0; i < 10; ++i) {
        EXPECT_GE(crowd.served(i), 5) << i;
    }
}

} // namespace
} // namespace cgtide::core
