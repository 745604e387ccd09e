#include "engine/apps/idle.hpp"

#include <algorithm>
#include <numeric>
#include <random>

#include <gtest/gtest.h>

namespace cgtide::apps {
namespace {

using model::IdleSlice;
using model::IdleView;

constexpr Microseconds kSecond{1'000'000};

IdleView view_of(std::vector<IdleSlice> slices, Microseconds watched = 1000 * kSecond) {
    IdleView view;
    view.resolution = kSecond;
    view.watched = watched;
    view.slices = std::move(slices);
    return view;
}

/// Slices as a sensor may tell them: in use, idle, empty, of one kind or both, and some with an
/// idle time that nobody has watched for.
IdleView random_view(std::mt19937_64& random) {
    const auto below = [&](std::uint64_t end) {
        return random() % end;
    };
    std::vector<Microseconds> times(1 + below(IdleView::kMaxSlices));
    for (Microseconds& time : times) {
        time = (static_cast<std::int64_t>(below(4000)) - 400) * kSecond;
    }
    std::sort(times.begin(), times.end());
    IdleView view = view_of({}, static_cast<std::int64_t>(below(3600)) * kSecond);
    for (const Microseconds time : times) {
        view.slices.push_back({time, {below(3) * below(1U << 20U)}, {below(2) * below(1U << 16U)}});
    }
    view.unseen = {below(1U << 20U)};
    return view;
}

Bytes total(const IdleView& view) {
    return std::accumulate(
        view.slices.begin(), view.slices.end(), Bytes{},
        [](Bytes sum, const IdleSlice& slice) { return sum + slice.anon + slice.file; });
}

template <class Check>
void for_random_views(Check check) {
    std::mt19937_64 random(20261);
    for (int i = 0; i < 300; ++i) {
        SCOPED_TRACE("view " + std::to_string(i));
        check(random_view(random));
    }
}

TEST(IdlePercentiles, AreTheTimesAtWhichTheirShareIsPassed) {
    // 10 in use, 60 idle for 5 s, 30 for a minute.
    const IdleView view =
        view_of({{-12 * kSecond, {10}, {0}}, {5 * kSecond, {20}, {40}}, {60 * kSecond, {0}, {30}}});
    const model::IdlePercentiles values = percentiles(view);
    EXPECT_EQ(values[0], -12 * kSecond);
    EXPECT_EQ(values[10], -12 * kSecond);
    EXPECT_EQ(values[11], 5 * kSecond);
    EXPECT_EQ(values[70], 5 * kSecond);
    EXPECT_EQ(values[71], 60 * kSecond);
    EXPECT_EQ(values[100], 60 * kSecond);
}

TEST(IdlePercentiles, OfNothingAreZero) {
    for (const IdleView& view : {view_of({}), view_of({{5 * kSecond, {}, {}}})}) {
        EXPECT_EQ(percentiles(view), model::IdlePercentiles{});
        EXPECT_EQ(summarise(view).seen, Bytes{});
    }
}

TEST(IdlePercentiles, PassOverSlicesWithoutBytes) {
    const IdleView view = view_of({{-kSecond, {}, {}},
                                   {2 * kSecond, {1}, {}},
                                   {3 * kSecond, {}, {}},
                                   {9 * kSecond, {1}, {}}});
    const model::IdlePercentiles values = percentiles(view);
    EXPECT_EQ(values[0], 2 * kSecond);
    EXPECT_EQ(values[50], 2 * kSecond);
    EXPECT_EQ(values[51], 9 * kSecond);
}

TEST(IdlePercentiles, HoldForMoreBytesThanAPercentageOfThemFits) {
    constexpr std::uint64_t kHuge = 1ULL << 62U;
    const IdleView view = view_of({{kSecond, {kHuge}, {}}, {2 * kSecond, {}, {kHuge}}});
    const model::IdlePercentiles values = percentiles(view);
    EXPECT_EQ(values[50], kSecond);
    EXPECT_EQ(values[51], 2 * kSecond);
}

TEST(IdlePercentiles, RiseAndStayWithinTheSlices) {
    for_random_views([](const IdleView& view) {
        const model::IdlePercentiles values = percentiles(view);
        EXPECT_TRUE(std::is_sorted(values.begin(), values.end()));
        if (total(view).count > 0) {
            EXPECT_GE(values.front(), std::min(view.slices.front().idle, view.watched));
            EXPECT_LE(values.back(), std::min(view.slices.back().idle, view.watched));
        }
    });
}

TEST(IdlePercentiles, SplitTheBytesAtTheirShare) {
    for_random_views([](const IdleView& view) {
        const model::IdlePercentiles values = percentiles(view);
        const auto all = static_cast<double>(total(view).count);
        for (std::size_t p = 0; all > 0 && p < values.size(); ++p) {
            std::uint64_t before = 0;
            std::uint64_t upto = 0;
            for (const IdleSlice& slice : view.slices) {
                const std::uint64_t size = (slice.anon + slice.file).count;
                const Microseconds idle = std::min(slice.idle, view.watched);
                before += idle < values.at(p) ? size : 0;
                upto += idle <= values.at(p) ? size : 0;
            }
            const double share = static_cast<double>(p) / 100.0;
            EXPECT_GE(static_cast<double>(upto), share * all * (1 - 1e-12)) << p;
            EXPECT_LE(static_cast<double>(before), share * all * (1 + 1e-12)) << p;
        }
    });
}

TEST(IdlePercentiles, DoNotDependOnTheScale) {
    for_random_views([](const IdleView& view) {
        IdleView larger = view;
        for (IdleSlice& slice : larger.slices) {
            slice.anon.count *= 7;
            slice.file.count *= 7;
        }
        EXPECT_EQ(percentiles(larger), percentiles(view));
        const model::ColdBytes cold = cold_bytes(view, 30 * kSecond);
        const model::ColdBytes more = cold_bytes(larger, 30 * kSecond);
        EXPECT_EQ(more.anon.count, cold.anon.count * 7);
        EXPECT_EQ(more.file.count, cold.file.count * 7);
    });
}

TEST(ColdBytes, AreThoseIdleForAtLeastTheAge) {
    const IdleView view =
        view_of({{-kSecond, {1}, {2}}, {10 * kSecond, {4}, {8}}, {20 * kSecond, {16}, {32}}});
    EXPECT_EQ(cold_bytes(view, 10 * kSecond).anon, Bytes{20});
    EXPECT_EQ(cold_bytes(view, 10 * kSecond).file, Bytes{40});
    EXPECT_EQ(cold_bytes(view, 10 * kSecond + Microseconds(1)).anon, Bytes{16});
    EXPECT_EQ(cold_bytes(view, 21 * kSecond).file, Bytes{});
    EXPECT_EQ(cold_bytes(view, 10 * kSecond).age, 10 * kSecond);
}

TEST(ColdBytes, AreNotOlderThanWhatWasWatched) {
    const IdleView view = view_of({{100 * kSecond, {16}, {32}}}, 30 * kSecond);
    EXPECT_EQ(cold_bytes(view, 30 * kSecond).anon, Bytes{16});
    EXPECT_EQ(cold_bytes(view, 31 * kSecond).anon, Bytes{});
    EXPECT_EQ(percentiles(view)[50], 30 * kSecond);
    EXPECT_EQ(working_set(view, 60 * kSecond), Bytes{48});
}

TEST(ColdBytes, FallWithTheAgeAndNeverHoldTheUnseen) {
    for_random_views([](const IdleView& view) {
        const model::IdleSummary summary = summarise(view);
        Bytes last = total(view);
        for (const model::ColdBytes& cold : summary.cold) {
            EXPECT_LE(cold.anon + cold.file, last);
            last = cold.anon + cold.file;
            EXPECT_TRUE(cold.age <= view.watched || last == Bytes{});
        }
        IdleView blind = view;
        blind.unseen = mebibytes(4096);
        for (std::size_t i = 0; i < summary.cold.size(); ++i) {
            const model::ColdBytes cold = summarise(blind).cold.at(i);
            EXPECT_EQ(cold.anon, summary.cold[i].anon);
            EXPECT_EQ(cold.file, summary.cold[i].file);
        }
        EXPECT_EQ(percentiles(blind), summary.percentiles);
    });
}

TEST(WorkingSet, AndWhatIsColdAreAllThatIsSeen) {
    for_random_views([](const IdleView& view) {
        for (const Microseconds window : model::kColdAges) {
            const model::ColdBytes cold = cold_bytes(view, window);
            EXPECT_EQ(working_set(view, window) + cold.anon + cold.file, total(view));
        }
    });
}

TEST(IdlePercentiles, AreOfBytesWhoseIdleTimeIsSure) {
    IdleView view = view_of(
        {{-kSecond, {10}, {}}, {5 * kSecond, {60}, {20}}, {90 * kSecond, {30}, {}}}, 100 * kSecond);
    view.slices[1].unsure = {70};
    const auto values = percentiles(view);
    EXPECT_EQ(values.at(20), -kSecond);
    EXPECT_EQ(values.at(21), 5 * kSecond);
    EXPECT_EQ(values.at(40), 5 * kSecond);
    EXPECT_EQ(values.at(41), 90 * kSecond);
    EXPECT_EQ(cold_bytes(view, 5 * kSecond).anon, Bytes{90}); // at least so long, sure or not
    EXPECT_EQ(cold_bytes(view, 5 * kSecond).unsure, Bytes{});
    EXPECT_EQ(cold_bytes(view, 6 * kSecond).unsure, Bytes{70});
    EXPECT_EQ(summarise(view).unsure, Bytes{70});
    for (model::IdleSlice& slice : view.slices) {
        slice.unsure = slice.anon + slice.file;
    }
    EXPECT_EQ(percentiles(view).at(50), 5 * kSecond) << "better all than none";
}

TEST(IdleSummary, CarriesTheViewsTerms) {
    IdleView view = view_of({{-kSecond, {1}, {2}}, {90 * kSecond, {4}, {8}}}, 100 * kSecond);
    view.source = model::IdleSource::generations;
    view.at = TimePoint(std::chrono::seconds(7));
    view.unseen = {100};
    view.processes = 3;
    view.unwatched = 2;
    const model::IdleSummary summary = summarise(view);
    EXPECT_EQ(summary.source, model::IdleSource::generations);
    EXPECT_EQ(summary.at, view.at);
    EXPECT_EQ(summary.resolution, kSecond);
    EXPECT_EQ(summary.watched, 100 * kSecond);
    EXPECT_EQ(summary.seen, Bytes{15});
    EXPECT_EQ(summary.unseen, Bytes{100});
    EXPECT_EQ(summary.working_set, Bytes{3});
    EXPECT_EQ(summary.processes, 3U);
    EXPECT_EQ(summary.unwatched, 2U);
    ASSERT_EQ(summary.cold.size(), model::kColdAges.size());
    for (std::size_t i = 0; i < summary.cold.size(); ++i) {
        EXPECT_EQ(summary.cold[i].age, model::kColdAges.at(i));
    }
}

} // namespace
} // namespace cgtide::apps
