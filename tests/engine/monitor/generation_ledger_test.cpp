#include "engine/monitor/generation_ledger.hpp"
#include "tests/support/times.hpp"

#include <algorithm>
#include <deque>
#include <random>

#include <gmock/gmock.h>

namespace cgtide::monitor {
namespace {

using damon::Generation;
using damon::NodeGenerations;
using testing::UnorderedElementsAre;

using test::at;

/// A reading at `now` of generations that were made at `born`, with these pages.
struct Born {
    std::uint64_t number;
    int born;
    std::uint64_t pages;
};

NodeGenerations reading(int now, const std::vector<Born>& all) {
    NodeGenerations node;
    for (const Born& one : all) {
        node.generations.push_back(
            {one.number, Microseconds((now - one.born) * 1'000'000LL), one.pages, 99});
    }
    return node;
}

void walk(GenerationLedger& ledger, int now, const std::vector<Born>& all) {
    ledger.add(reading(now, all), at(now), at(now));
}

TEST(WasBegun, KnowsAWalkByTheGenerationThatItBegins) {
    const auto now = reading(110, {{3, 60, 50}, {4, 104, 20}, {5, 109, 0}});
    EXPECT_TRUE(was_begun(now, 5, Microseconds(1'000'000)));
    EXPECT_TRUE(was_begun(now, 4, Microseconds(6'000'000)));
    EXPECT_FALSE(was_begun(now, 4, Microseconds(5'900'000))) << "reclaim began it before";
    EXPECT_FALSE(was_begun(now, 6, Microseconds(60'000'000))) << "nobody began it";
}

TEST(GenerationLedger, TellsNothingAsIdleFromTheFirstReading) {
    GenerationLedger ledger;
    EXPECT_TRUE(ledger.pages().empty());
    walk(ledger, 100, {{0, 10, 40}, {1, 50, 30}, {2, 100, 0}});
    EXPECT_THAT(ledger.pages(),
                UnorderedElementsAre(UsedUntil{at(100), 40}, UsedUntil{at(100), 30}));
    EXPECT_EQ(ledger.walked(), at(100));
}

TEST(GenerationLedger, WhatStaysBelowTheGenerationThatWasYoungestHasNotBeenUsedSince) {
    GenerationLedger ledger;
    walk(ledger, 100, {{0, 10, 80}, {1, 100, 0}});
    walk(ledger, 105, {{0, 10, 50}, {1, 100, 30}, {2, 105, 0}});
    // 30 pages were used between the walks, 50 were not.
    EXPECT_THAT(ledger.pages(),
                UnorderedElementsAre(UsedUntil{at(100), 50}, UsedUntil{at(105), 30}));
    walk(ledger, 110, {{0, 10, 50}, {1, 100, 0}, {2, 105, 30}, {3, 110, 0}});
    EXPECT_THAT(ledger.pages(),
                UnorderedElementsAre(UsedUntil{at(100), 50}, UsedUntil{at(110), 30}));
}

TEST(GenerationLedger, RemembersAgesThatTheKernelHasMerged) {
    GenerationLedger ledger;
    walk(ledger, 100, {{0, 10, 100}, {1, 100, 0}});
    walk(ledger, 105, {{0, 10, 60}, {1, 100, 40}, {2, 105, 0}});
    walk(ledger, 110, {{0, 10, 60}, {1, 100, 10}, {2, 105, 30}, {3, 110, 0}});
    walk(ledger, 115, {{1, 100, 70}, {2, 105, 0}, {3, 110, 30}, {4, 115, 0}});
    EXPECT_THAT(ledger.pages(), UnorderedElementsAre(UsedUntil{at(100), 60}, UsedUntil{at(105), 10},
                                                     UsedUntil{at(115), 30}));
    // 20 of the merged pages are gone: the longest idle ones, as far as anybody knows.
    walk(ledger, 120, {{2, 105, 50}, {3, 110, 0}, {4, 115, 50}, {5, 120, 0}});
    EXPECT_THAT(ledger.pages(), UnorderedElementsAre(UsedUntil{at(100), 40}, UsedUntil{at(105), 10},
                                                     UsedUntil{at(120), 50}));
}

TEST(GenerationLedger, PagesThatCameIntoAnOldGenerationAreYoung) {
    GenerationLedger ledger;
    walk(ledger, 100, {{0, 10, 40}, {1, 100, 0}});
    walk(ledger, 105, {{0, 10, 55}, {1, 100, 0}, {2, 105, 0}});
    EXPECT_THAT(ledger.pages(),
                UnorderedElementsAre(UsedUntil{at(100), 40}, UsedUntil{at(105), 15}));
}

TEST(GenerationLedger, GenerationsThatReclaimMadeTellTimesBetweenTheWalks) {
    GenerationLedger ledger;
    walk(ledger, 100, {{0, 10, 80}, {1, 100, 0}});
    walk(ledger, 110, {{0, 10, 50}, {1, 100, 20}, {2, 104, 10}, {3, 110, 0}});
    EXPECT_THAT(ledger.pages(), UnorderedElementsAre(UsedUntil{at(100), 50}, UsedUntil{at(104), 20},
                                                     UsedUntil{at(110), 10}));
}

TEST(GenerationLedger, WhereAllGenerationsWereReplacedOnlyTheirOwnTimesHold) {
    GenerationLedger ledger;
    walk(ledger, 100, {{0, 10, 80}, {1, 100, 0}});
    walk(ledger, 110, {{4, 102, 50}, {5, 104, 20}, {6, 106, 10}, {7, 110, 0}});
    EXPECT_THAT(ledger.pages(), UnorderedElementsAre(UsedUntil{at(104), 50}, UsedUntil{at(106), 20},
                                                     UsedUntil{at(110), 10}));
}

/// 60 pages that were used until the 100th second, 10 until the 105th, 30 all the time.
GenerationLedger told() {
    GenerationLedger ledger;
    walk(ledger, 100, {{0, 10, 100}, {1, 100, 0}});
    walk(ledger, 105, {{0, 10, 60}, {1, 100, 40}, {2, 105, 0}});
    walk(ledger, 110, {{0, 10, 60}, {1, 100, 10}, {2, 105, 30}, {3, 110, 0}});
    return ledger;
}

TEST(GenerationLedger, AGenerationIsProvenByAllOfItsPages) {
    const GenerationLedger ledger = told();
    EXPECT_EQ(ledger.proven(at(99)), std::nullopt);
    EXPECT_EQ(ledger.proven(at(100)), (ProvenGenerations{0, 60}));
    EXPECT_EQ(ledger.proven(at(105)), (ProvenGenerations{1, 70}));
    EXPECT_EQ(ledger.proven(at(110)), (ProvenGenerations{1, 70})) << "the two youngest stay";
    EXPECT_EQ(GenerationLedger{}.proven(at(110)), std::nullopt);
}

TEST(GenerationLedger, AGenerationThatHasTakenInYoungerPagesIsNotProven) {
    GenerationLedger ledger = told();
    // The first two are one now: 60 pages are idle since the 100th second, 10 are not.
    walk(ledger, 115, {{1, 100, 70}, {2, 105, 0}, {3, 110, 30}, {4, 115, 0}});
    EXPECT_EQ(ledger.proven(at(100)), std::nullopt);
    EXPECT_EQ(ledger.proven(at(105)), (ProvenGenerations{2, 70})) << "an empty one takes them in";
}

TEST(GenerationLedger, AFewPagesThatAreNotProvenDoNotKeepTheOthers) {
    for (const std::uint64_t few : {1U, 2U}) {
        GenerationLedger ledger;
        walk(ledger, 100, {{0, 10, 62}, {1, 100, 0}});
        walk(ledger, 105, {{0, 10, 62 - few}, {1, 100, few}, {2, 105, 0}});
        walk(ledger, 110, {{1, 100, 62}, {2, 105, 0}, {3, 110, 0}});
        // One of 62 is fewer than a 32nd.
        const auto proven = few == 1 ? std::optional(ProvenGenerations{1, 61}) : std::nullopt;
        EXPECT_EQ(ledger.proven(at(100)), proven) << few;
    }
}

TEST(GenerationLedger, WhatWasEvictedIsFewerPagesAndNotYoungerOnes) {
    GenerationLedger ledger = told();
    // 50 of the oldest left, and five of them were used then.
    walk(ledger, 115, {{0, 10, 5}, {1, 100, 10}, {2, 105, 0}, {3, 110, 35}, {4, 115, 0}});
    EXPECT_THAT(ledger.pages(), UnorderedElementsAre(UsedUntil{at(100), 5}, UsedUntil{at(105), 10},
                                                     UsedUntil{at(115), 35}));
    EXPECT_EQ(ledger.proven(at(100)), (ProvenGenerations{0, 5}));
    // The last of them left: their generation is no more.
    walk(ledger, 120, {{1, 100, 10}, {2, 105, 0}, {3, 110, 0}, {4, 115, 35}, {5, 120, 0}});
    EXPECT_THAT(ledger.pages(),
                UnorderedElementsAre(UsedUntil{at(105), 10}, UsedUntil{at(120), 35}));
    EXPECT_EQ(ledger.proven(at(100)), std::nullopt);
}

TEST(GenerationLedger, KeepsABoundedNumberOfTimes) {
    GenerationLedger ledger;
    walk(ledger, 0, {{0, -10, 10'000}, {1, 0, 0}});
    std::uint64_t cold = 10'000;
    std::uint64_t previous = 0;
    for (int i = 1; i <= 1000; ++i) {
        // Each round 5 pages more are idle from then on.
        const auto number = static_cast<std::uint64_t>(i);
        cold += previous;
        previous = 5;
        walk(ledger, 5 * i,
             {{number - 1, 5 * (i - 2), cold}, {number, 5 * (i - 1), 5}, {number + 1, 5 * i, 0}});
    }
    EXPECT_LE(ledger.pages().size(), GenerationLedger::kMaxTimes + 2);
    std::uint64_t pages = 0;
    for (const UsedUntil& time : ledger.pages()) {
        pages += time.pages;
    }
    EXPECT_EQ(pages, cold + 5);
}

/// A node's MGLRU as kernels have it: four generations, walks that promote what was used, pages
/// that come and go.
class Kernel {
public:
    explicit Kernel(unsigned seed) : random_(seed) {
        for (int i = 0; i < 400; ++i) {
            pages_.push_back({0, 0});
        }
        born_ = {0, 0};
    }

    /// One second: some pages are used, some are reclaimed, some come.
    void second(int now) {
        for (Page& page : pages_) {
            if (chance(page.busy)) {
                page.used = now;
                page.accessed = true;
            }
        }
        for (Page& page : pages_) {
            if (chance(0.001)) { // taken out, another one comes in its place
                page = {youngest(), now, true, page.busy};
            }
        }
        if (chance(0.02)) {
            age(now); // reclaim does, and does not look at all page tables
        }
    }

    /// Evicts some of the oldest generation, as a command does: what was used becomes young.
    void evict(int now) {
        for (Page& page : pages_) {
            if (page.generation == oldest() && born_.size() > 2 && chance(0.3)) {
                page = page.accessed ? Page{youngest(), page.used, false, page.busy}
                                     : Page{youngest(), now, true, page.busy}; // another one comes
            }
        }
    }

    void walk(int now) {
        for (Page& page : pages_) {
            if (page.accessed) {
                page.generation = youngest();
                page.accessed = false;
            }
        }
        age(now);
    }

    NodeGenerations read(int now) const {
        std::vector<Born> all;
        for (std::uint64_t number = oldest(); number <= youngest(); ++number) {
            const auto count = std::count_if(pages_.begin(), pages_.end(), [&](const Page& page) {
                return page.generation == number;
            });
            all.push_back({number, born_[number - oldest()], static_cast<std::uint64_t>(count)});
        }
        return reading(now, all);
    }

    /// Pages that were not used after `time`.
    std::uint64_t idle_since(int time) const {
        return static_cast<std::uint64_t>(std::count_if(
            pages_.begin(), pages_.end(), [&](const Page& page) { return page.used <= time; }));
    }

    std::size_t size() const { return pages_.size(); }

private:
    struct Page {
        std::uint64_t generation;
        int used;
        bool accessed = true;
        double busy = 0;
    };

    bool chance(double share) { return std::uniform_real_distribution<>(0, 1)(random_) < share; }
    std::uint64_t oldest() const { return first_; }
    std::uint64_t youngest() const { return first_ + born_.size() - 1; }

    void age(int now) {
        constexpr std::size_t kMost = 4;
        if (born_.size() == kMost) {
            born_.pop_front();
            ++first_;
            for (Page& page : pages_) {
                page.generation = std::max(page.generation, first_);
            }
        }
        born_.push_back(now);
    }

public:
    void make_busy() {
        for (std::size_t i = 0; i < pages_.size(); ++i) {
            pages_[i].busy = i % 4 == 0 ? 0.9 : (i % 4 == 1 ? 0.05 : 0.0);
        }
    }

private:
    std::mt19937 random_;
    std::vector<Page> pages_;
    std::uint64_t first_ = 0;
    std::deque<int> born_;
};

TEST(GenerationLedger, NeverTellsMorePagesAsIdleThanThereAre) {
    for (unsigned seed = 1; seed <= 50; ++seed) {
        Kernel kernel(seed);
        kernel.make_busy();
        GenerationLedger ledger;
        std::uint64_t told_idle = 0;
        for (int now = 1; now <= 200; ++now) {
            kernel.second(now);
            if (now % 20 == 3) {
                kernel.evict(now);
            }
            if (now % 5 != 0) {
                continue;
            }
            kernel.walk(now);
            ledger.add(kernel.read(now), at(now), at(now));
            std::uint64_t all = 0;
            for (const UsedUntil& time : ledger.pages()) {
                all += time.pages;
            }
            ASSERT_EQ(all, kernel.size()) << "seed " << seed << ", second " << now;
            for (int since = now; since >= 0; since -= 5) {
                std::uint64_t told = 0;
                for (const UsedUntil& time : ledger.pages()) {
                    told += time.used <= at(since) ? time.pages : 0;
                }
                ASSERT_LE(told, kernel.idle_since(since))
                    << "seed " << seed << ", second " << now << ", idle since " << since;
                told_idle += told;
            }
        }
        EXPECT_GT(told_idle, 0U) << "seed " << seed;
    }
}

} // namespace
} // namespace cgtide::monitor
