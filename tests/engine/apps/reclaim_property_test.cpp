// What the step holds to, whatever sensors and actuators say.
#include "engine/apps/reclaim.hpp"
#include "tests/engine/apps/scene.hpp"

#include <array>
#include <cmath>
#include <random>

#include <gmock/gmock.h>

namespace cgtide::apps {
namespace {

using test::Scene;

constexpr std::uint64_t kMost = 600; ///< MiB of usage

/// A container to which anything may happen between two steps.
struct Storm : Scene {
    explicit Storm(unsigned seed) : random(seed) {
        policy.profile.ratio = static_cast<double>(below(100)) / 1000.0;
        policy.profile.max = BasisPoints{static_cast<double>(1 + below(1000))};
        policy.profile.period = Microseconds(500'000 * static_cast<std::int64_t>(1 + below(20)));
        policy.reclaim.keep = mebibytes(below(64));
        constexpr std::array kKinds{model::Pages::automatic, model::Pages::file, model::Pages::anon,
                                    model::Pages::all};
        policy.reclaim.pages = kKinds.at(below(kKinds.size()));
        node.swappiness_key = below(4) != 0;
        node.swappiness_max = node.swappiness_key && below(4) != 0;
        node.actuators = {.pageout = below(2) != 0,
                          .damos = below(2) != 0,
                          .generations = below(2) != 0,
                          .wanted = static_cast<model::Actuator>(below(4))};
        if (below(8) == 0) {
            node.swap_total = {};
        }
    }

    std::uint64_t below(std::uint64_t top) { return random() % top; }
    bool one_in(std::uint64_t times) { return below(times) == 0; }

    void blow() {
        const Bytes anon = mebibytes(below(kMost / 2));
        const Bytes file = mebibytes(below(kMost / 2));
        if (!now.stat) {
            now.stat = kept;
        }
        now.stat->anon = now.stat->inactive_anon = anon;
        now.stat->file = now.stat->inactive_file = file;
        now.stat->file_mapped = one_in(4) ? file : Bytes{};
        now.usage = anon + file + kibibytes(below(4096));
        now.protection.min = one_in(8) ? Bytes{Bytes::kUnlimited} : mebibytes(below(200));
        now.protection.low = mebibytes(below(200));
        now.swap_limit = one_in(2) ? std::nullopt : std::optional(kibibytes(below(8192)));
        now.frozen = one_in(20);
        now.has_nested = one_in(20);
        node.swap_free = Bytes{below(node.swap_total.count + 1)};
        node.memory_total = mebibytes(1000);
        node.memory_available = mebibytes(below(200));
        count();
        look(anon, file);
        kept = *now.stat;
        if (one_in(15)) {
            now.stat.reset();
        }
        now.at += std::chrono::seconds(one_in(12) ? static_cast<int>(below(4000)) - 100 : 0);
    }

    /// Counters rise, and fall back to nothing in one of twenty steps.
    void count() {
        if (!now.memory_pressure || one_in(20)) {
            now.memory_pressure.emplace();
        }
        stall_memory(Microseconds(one_in(3) ? below(20'000) : 0));
        if (now.io_pressure) {
            stall_io(Microseconds(one_in(4) ? below(20'000) : 0));
        }
        refault(one_in(5) ? mebibytes(below(20)) : Bytes{});
        if (one_in(20)) {
            now.stat->workingset_refault_anon = 0;
            now.stat->pgscan = now.stat->pgsteal = 0;
            now.events.emplace();
        }
        now.stat->pgscan += below(20'000);
        now.stat->pgsteal += below(20'000);
        now.events->oom_kill += one_in(60) ? 1U : 0U;
        if (one_in(20)) {
            now.memory_pressure.reset();
        }
    }

    void look(Bytes anon, Bytes file) {
        if (one_in(3)) {
            now.idle.reset();
            view.reset();
            return;
        }
        // Sensors may tell of more than is charged.
        see({{Microseconds(0), Bytes{below(anon.count + 1)}, Bytes{below(file.count + 1)}},
             {std::chrono::minutes(10), mebibytes(below(kMost)), mebibytes(below(kMost)),
              mebibytes(below(kMost))}});
        view->source = static_cast<model::IdleSource>(below(4));
        if (one_in(2)) {
            view->counted = now.at - std::chrono::seconds(below(30));
        }
        if (one_in(4)) {
            view->at = now.at - std::chrono::seconds(below(60));
            view.reset(); // step() leaves it as old as it is
        }
    }

    /// The actuator's report, true or not.
    void act(const model::Decision& decision) {
        if (decision.ask.count == 0 || one_in(5)) {
            return; // turned away, or still under way
        }
        model::Outcome outcome;
        outcome.asked = decision.ask;
        outcome.taken = mebibytes(below(one_in(10) ? 10'000 : 20));
        outcome.at = now.at + Microseconds(below(4'000'000));
        outcome.cpu = Microseconds(below(200'000));
        outcome.end = static_cast<OutcomeEnd>(below(6));
        outcome.actuator = decision.actuator;
        outcome.proven = decision.proven.has_value();
        if (decision.actuator != model::Actuator::memory_reclaim) {
            outcome.found = mebibytes(below(200));
            outcome.stuck = std::min(outcome.found, mebibytes(below(200)));
        }
        outcomes.push_back(outcome);
    }

    using OutcomeEnd = model::OutcomeEnd;
    std::mt19937 random;
    cgroup::MemoryStat kept;
};

double bytes(Bytes value) {
    return static_cast<double>(value.count);
}

void expect_sane(const model::ReclaimState& state, const model::Profile& profile) {
    for (const double value : {state.taken_recent, state.refault_recent, state.fresh,
                               state.cpu_debt, state.left, state.stuck}) {
        ASSERT_TRUE(std::isfinite(value));
        ASSERT_GE(value, 0.0);
    }
    for (const double step : state.steps) {
        ASSERT_TRUE(std::isfinite(step));
        ASSERT_GE(step, 0.0);
    }
    const double most = std::max(bytes(mebibytes(kMost + 4)) * profile.max.ratio(), 0x1p20);
    ASSERT_LE(std::abs(state.carry), most);
    ASSERT_GE(state.hold.count(), 0);
    ASSERT_LE(state.hold, kLastHold);
    ASSERT_GE(state.trial.count(), 0);
    ASSERT_LE(state.trial, kLastHold);
}

/// Of a request: what it may never be, by what the step was told.
void expect_allowed(const model::Decision& decision, const Storm& storm) {
    const model::Snapshot& now = storm.now;
    ASSERT_GE(decision.ask, kSmallestAsk);
    ASSERT_LE(decision.ask + reclaim_floor(storm.policy, now), now.usage);
    ASSERT_FALSE(now.frozen || now.has_nested || !now.stat || !now.memory_pressure);
    const model::ReclaimState& state = storm.reclaim_state();
    ASSERT_FALSE(state.hold_until && now.at < *state.hold_until);
    ASSERT_FALSE(state.oom_until && now.at < *state.oom_until);
    ASSERT_DOUBLE_EQ(state.cpu_debt, 0.0);
    ASSERT_NE(decision.pages, model::Pages::automatic);
    if (decision.pages == model::Pages::anon) {
        ASSERT_LE(decision.ask, std::min(now.stat->anon, storm.node.swap_free));
        ASSERT_LE(decision.ask, now.swap_limit.value_or(decision.ask));
    } else if (decision.pages == model::Pages::file) {
        ASSERT_LE(decision.ask, now.stat->file);
    }
    if (decision.proven) {
        ASSERT_GE(now.at, state.trial_until);
        const model::IdleSlice& cold = now.idle->slices.back();
        const Bytes anon = decision.pages == model::Pages::file ? Bytes{} : cold.anon;
        const Bytes file = decision.pages == model::Pages::anon ? Bytes{} : cold.file;
        ASSERT_LE(decision.ask, anon + file);
        ASSERT_LE(now.at - now.idle->at, std::chrono::seconds(15));
    } else {
        const double most = bytes(now.usage) * storm.policy.profile.max.ratio();
        ASSERT_LE(bytes(decision.ask), std::max(most, bytes(kSmallestAsk)));
    }
}

TEST(ReclaimProperty, HoldsItsPromisesInAStorm) {
    int asked = 0, on_trial = 0;
    std::array<int, model::kActuatorNames.size()> proven{};
    for (unsigned seed = 0; seed < 400; ++seed) {
        Storm storm(seed);
        for (int period = 0; period < 60; ++period) {
            storm.blow();
            const model::Decision decision = storm.step();
            ASSERT_NO_FATAL_FAILURE(expect_sane(storm.reclaim_state(), storm.policy.profile))
                << "seed " << seed << " period " << period << ": " << to_string(storm.state);
            on_trial += decision.reason.code() == model::ReasonCode::trial ? 1 : 0;
            if (decision.ask.count > 0) {
                ASSERT_NO_FATAL_FAILURE(expect_allowed(decision, storm))
                    << "seed " << seed << " period " << period << ": " << to_string(storm.state);
                ++asked;
                proven.at(static_cast<std::size_t>(decision.actuator)) += decision.proven ? 1 : 0;
            }
            storm.act(decision);
        }
    }
    // Else it shows nothing.
    EXPECT_GT(asked, 500);
    EXPECT_GT(on_trial, 20);
    constexpr auto kMoves = static_cast<std::size_t>(model::Actuator::move_pages);
    for (std::size_t i = 0; i < proven.size(); ++i) {
        EXPECT_THAT(proven.at(i), i == kMoves ? testing::Matcher<int>(0) : testing::Gt(20)) << i;
    }
}

/// Whatever was owed before, a calm container is asked for no more than the law's share.
TEST(ReclaimProperty, OverCalmPeriodsNoMoreIsAskedForThanTheShare) {
    for (unsigned seed = 0; seed < 200; ++seed) {
        Storm storm(seed);
        for (int period = 0; period < 30; ++period) {
            storm.blow();
            storm.act(storm.step());
        }
        storm.outcomes.clear();
        storm.view.reset();
        storm.now.idle.reset();
        storm.node.memory_available = storm.node.memory_total; // nothing is urgent
        const model::Profile& profile = storm.policy.profile;
        const double usage = bytes(storm.now.usage);
        const double share = usage * std::min(profile.ratio, profile.max.ratio());
        const double carried = std::max(usage * profile.max.ratio(), 0x1p20);
        double sum = 0.0;
        constexpr int kPeriods = 40;
        for (int period = 0; period < kPeriods; ++period) {
            sum += bytes(storm.step().ask);
        }
        ASSERT_LE(sum, kPeriods * share + carried) << "seed " << seed;
    }
}

} // namespace
} // namespace cgtide::apps
