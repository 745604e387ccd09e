#pragma once

#include "engine/damon/lru_gen.hpp"

#include <algorithm>
#include <cerrno>
#include <functional>
#include <vector>

#include <gtest/gtest.h>

namespace cgtide::test {

/// A kernel with one cgroup, /web, whose pages are told by hand.
class FakeMglru final : public damon::Mglru {
public:
    /// What a command to walk does.
    enum class Walk { full, none, raced, refused };

    struct State {
        static TimePoint at(int seconds) { return TimePoint(std::chrono::seconds(seconds)); }

        TimePoint now = at(1000);
        Microseconds call_takes{0}; ///< each reading, and each walk
        Walk walk = Walk::full;
        std::uint64_t id = 7;
        bool named = true; ///< /web stands in the file
        std::vector<damon::Generation> generations{{0, {}, 0, 9}, {1, {}, 100, 0}};
        std::vector<TimePoint> born{at(900), at(950)};
        std::uint64_t used = 0; ///< pages that are in use all the time: the youngest
        int readings = 0;
        int walks = 0;

        bool takes_max = true;                  ///< as Linux 7
        std::uint64_t stuck = 0;                ///< anonymous pages that no eviction moves
        std::vector<int> refusals;              ///< errno of evictions to come; 0: none
        std::vector<damon::Eviction> evictions; ///< those that were asked for
        std::function<void(std::uint64_t)> left = [](std::uint64_t) {
        }; ///< is told how many pages each took
        std::function<void()> before_eviction = [] {
        }; ///< what comes between reading and command
    };

    explicit FakeMglru(State& state) : state_(&state) {}

    Result<damon::LruGenerations> read() override {
        ++state_->readings;
        damon::LruGenerations all;
        if (state_->named) {
            for (std::size_t i = 0; i < state_->born.size(); ++i) {
                state_->generations[i].age =
                    std::chrono::duration_cast<Microseconds>(state_->now - state_->born[i]);
            }
            all["/web"] = {state_->id, {{0, state_->generations}, {1, {{0, {}, 0, 5}}}}};
        }
        state_->now += state_->call_takes;
        return all;
    }

    Result<void> age(std::uint64_t id, unsigned node, std::uint64_t youngest) override {
        EXPECT_EQ(id, state_->id);
        EXPECT_EQ(node, 0U) << "no anonymous memory is there";
        ++state_->walks;
        if (state_->walk == Walk::refused) {
            return fail_errno(EEXIST, "age", "");
        }
        auto& all = state_->generations;
        if (state_->walk == Walk::raced) { // reclaim was faster: Linux up to 6.13 says yes
            begin(state_->now - std::chrono::seconds(1));
        }
        if (state_->walk == Walk::full) {
            EXPECT_EQ(youngest, all.back().number);
            std::uint64_t found = 0;
            for (auto one = all.rbegin(); one != all.rend(); ++one) {
                const std::uint64_t some = std::min(one->anon_pages, state_->used - found);
                one->anon_pages -= some;
                found += some;
            }
            all.back().anon_pages += found;
            begin(state_->now);
        }
        state_->now += state_->call_takes;
        return {};
    }

    Result<void> evict(const damon::Eviction& eviction) override {
        state_->before_eviction();
        state_->evictions.push_back(eviction);
        int refusal = 0;
        if (!state_->refusals.empty()) {
            refusal = state_->refusals.front();
            state_->refusals.erase(state_->refusals.begin());
        }
        const bool is_known = eviction.id == state_->id && eviction.node == 0 &&
                              eviction.last + 2 <= state_->generations.back().number &&
                              (!eviction.anon_only || state_->takes_max);
        if (refusal != 0 || !is_known) {
            return fail_errno(refusal != 0 ? refusal : EINVAL, "evict", "");
        }
        std::uint64_t taken = 0;
        for (damon::Generation& one : state_->generations) {
            if (one.number > eviction.last) {
                break;
            }
            const std::uint64_t movable = one.anon_pages - std::min(state_->stuck, one.anon_pages);
            const std::uint64_t anon = std::min(movable, eviction.pages - taken);
            one.anon_pages -= anon;
            taken += anon;
            const std::uint64_t file =
                eviction.anon_only ? 0 : std::min(one.file_pages, eviction.pages - taken);
            one.file_pages -= file;
            taken += file;
        }
        flush();
        state_->left(taken);
        return {};
    }

    /// Merges the oldest generation into the next, and begins a new one, as a walk and reclaim do.
    void merge() {
        auto& all = state_->generations;
        all[1].anon_pages += all[0].anon_pages;
        all[1].file_pages += all[0].file_pages;
        all.erase(all.begin());
        state_->born.erase(state_->born.begin());
        begin(state_->now);
    }

private:
    void begin(TimePoint now) {
        state_->generations.push_back({state_->generations.back().number + 1, {}, 0, 0});
        state_->born.push_back(now);
    }

    /// Forgets the oldest generations that are empty.
    void flush() {
        auto& all = state_->generations;
        while (all.size() > 2 && all.front().anon_pages + all.front().file_pages == 0) {
            all.erase(all.begin());
            state_->born.erase(state_->born.begin());
        }
    }

    State* state_;
};

} // namespace cgtide::test
