#include "engine/monitor/physical.hpp"
#include "tests/support/fake_tree.hpp"
#include "tests/support/times.hpp"

#include <gmock/gmock.h>

namespace cgtide::monitor {
namespace {

using damon::PageClass;
using model::PageCache;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using test::kSecond;
constexpr damon::Range kMemory{0, 1U << 30U};

/// One container, /web, with a cgroup of its own inside and one that is too small to matter.
class PhysicalOfAContainer : public ::testing::Test {
protected:
    PhysicalOfAContainer() {
        mglru("0x0000\n");
        add("/web");
        add("/web/a");
        test::GroupValues small;
        small.usage = kibibytes(100);
        tree_.add_group("/web/small", small);
        physical_.emplace(tree_.roots().sys.sub("").value(), damon::Intervals{},
                          [this] { return now_; });
        physical_->support({Bytes{kMemory.end}, true});
        web_ = wish("/web");
    }

    void add(const std::string& path) { tree_.add_group(path); }
    void mglru(const std::string& text) {
        tree_.dir().write("sys/kernel/mm/lru_gen/enabled", text);
    }

    PhysicalWish wish(const std::string& path, std::uint64_t file = 100, std::uint64_t mapped = 0) {
        auto dir = tree_.roots().cgroup.sub(path.substr(1)).value();
        auto group = std::make_shared<cgroup::Group>(cgroup::Group::open(std::move(dir)).value());
        const CgroupId id = group->id();
        return {{id, std::move(group), path, {}},
                {mebibytes(50), mebibytes(file), {}, mebibytes(mapped)}};
    }

    damon::PhysicalWatch plan(PhysicalUse use = PhysicalUse::page_cache) {
        return physical_->plan({web_}, use);
    }

    /// A second in which no memory was in use.
    void round() {
        now_ += std::chrono::seconds(1);
        physical_->add({damon::kPhysical, now_, {{kMemory, 0, 0}}});
    }

    void count(std::uint64_t mib, PageClass pages = PageClass::unmapped_file) {
        physical_->take({{damon::kPhysical, now_, {{kMemory, 0, 0}}},
                         {{web_.wish.id, pages, {{kMemory, mib << 20U}}}}},
                        false);
    }

    std::shared_ptr<const model::IdleView> complete() {
        auto regions = std::make_shared<model::IdleView>();
        regions->resolution = kSecond;
        regions->unseen = mebibytes(100);
        return physical_->complete(regions, web_.wish.id, web_.charged);
    }

    test::FakeTree tree_;
    TimePoint now_{std::chrono::seconds(1000)};
    std::optional<Physical> physical_;
    PhysicalWish web_;
};

TEST_F(PhysicalOfAContainer, EachOfItsCgroupsIsNamedForFiltersMatchOneAlone) {
    const auto watch = plan();
    ASSERT_THAT(watch.counts, SizeIs(1));
    EXPECT_EQ(watch.counts[0].container, web_.wish.id);
    EXPECT_EQ(watch.counts[0].pages, PageClass::unmapped_file);
    std::vector<std::string> paths;
    for (const damon::Memcg& cgroup : watch.counts[0].cgroups) {
        paths.push_back(cgroup.path);
    }
    EXPECT_THAT(paths, ::testing::UnorderedElementsAre("/web", "/web/a"));
    EXPECT_EQ(plan(), watch) << "no commit where nothing changed";
}

TEST_F(PhysicalOfAContainer, ANestedContainerIsNotItsOwn) {
    web_.wish.excluded.insert(wish("/web/a").wish.id);
    EXPECT_THAT(plan().counts.at(0).cgroups, SizeIs(1));
}

TEST_F(PhysicalOfAContainer, PageCacheIsToldFromTheSecondCountOn) {
    plan();
    EXPECT_EQ(complete()->page_cache, PageCache::pending);
    round();
    count(60);
    EXPECT_EQ(complete()->page_cache, PageCache::pending);
    for (int i = 0; i < 20; ++i) {
        round();
    }
    count(60);
    const auto view = complete();
    EXPECT_EQ(view->source, model::IdleSource::regions_and_physical);
    EXPECT_EQ(view->page_cache, PageCache::seen);
    EXPECT_EQ(view->unseen, mebibytes(40));
    EXPECT_THAT(view->slices, ElementsAre(model::IdleSlice{20 * kSecond, {}, mebibytes(60), {}}));
    EXPECT_EQ(physical_->view(web_.wish.id, web_.charged), nullptr) << "no whole view";
    now_ += std::chrono::minutes(5);
    EXPECT_EQ(complete()->page_cache, PageCache::pending) << "nothing was counted for long";
}

TEST_F(PhysicalOfAContainer, WithMglruReadsLeaveNoTraceAndThatIsSaid) {
    mglru("0x0007\n");
    EXPECT_THAT(plan().counts, IsEmpty());
    EXPECT_EQ(complete()->page_cache, PageCache::mglru);
    EXPECT_EQ(complete()->unseen, mebibytes(100));
    mglru("0x0000\n");
    EXPECT_THAT(plan().counts, SizeIs(1));
    mglru("0x0007\n");
    EXPECT_THAT(plan().counts, IsEmpty()) << "it can be turned on at any time";
    mglru("of a later kernel\n");
    EXPECT_THAT(plan().counts, IsEmpty()) << "what is not understood may hide them";
}

TEST_F(PhysicalOfAContainer, WhatTheKernelCannotTellIsSaid) {
    physical_->support({Bytes{kMemory.end}, false});
    EXPECT_THAT(plan().counts, IsEmpty());
    EXPECT_EQ(complete()->page_cache, PageCache::unsupported);
    EXPECT_THAT(plan(PhysicalUse::everything).counts, SizeIs(2)) << "but all files together";
    mglru("0x0001\n");
    EXPECT_THAT(plan(PhysicalUse::everything).counts, SizeIs(1)) << "or anonymous memory alone";
    physical_->support({});
    EXPECT_THAT(plan(PhysicalUse::everything).counts, IsEmpty());
    EXPECT_EQ(complete()->page_cache, PageCache::unsupported);
}

TEST_F(PhysicalOfAContainer, WhoHasLittlePageCacheIsNotWatched) {
    web_ = wish("/web", 100, 95);
    EXPECT_THAT(plan().counts, IsEmpty());
    EXPECT_EQ(complete()->page_cache, PageCache::little);
}

TEST_F(PhysicalOfAContainer, WhoFindsNoRoomIsToldSo) {
    std::vector<PhysicalWish> wishes{web_};
    for (int i = 0; i < 8; ++i) {
        const std::string path = "/other" + std::to_string(i);
        add(path);
        wishes.push_back(wish(path, 200));
    }
    EXPECT_THAT(physical_->plan(wishes, PhysicalUse::page_cache).counts, SizeIs(8));
    EXPECT_EQ(complete()->page_cache, PageCache::no_room);
}

TEST_F(PhysicalOfAContainer, AWholeViewTellsAnonymousAndFileMemory) {
    const auto watch = plan(PhysicalUse::everything);
    ASSERT_THAT(watch.counts, SizeIs(2));
    EXPECT_EQ(watch.counts[0].pages, PageClass::anon);
    EXPECT_EQ(watch.counts[1].pages, PageClass::file);
    round();
    EXPECT_EQ(physical_->view(web_.wish.id, web_.charged), nullptr);
    for (int i = 0; i < 2; ++i) {
        for (int j = 0; j < 10; ++j) {
            round();
        }
        count(50, PageClass::anon);
        count(90, PageClass::file);
    }
    const auto view = physical_->view(web_.wish.id, web_.charged);
    ASSERT_NE(view, nullptr);
    EXPECT_EQ(view->source, model::IdleSource::physical);
    EXPECT_EQ(view->page_cache, PageCache::seen);
    EXPECT_EQ(physical_->complete(view, web_.wish.id, web_.charged), view);
    EXPECT_EQ(view->unseen, mebibytes(10));
    EXPECT_EQ(view->watched, 10 * kSecond);
    EXPECT_THAT(view->slices,
                ElementsAre(model::IdleSlice{10 * kSecond, mebibytes(50), mebibytes(90), {}}));
}

TEST_F(PhysicalOfAContainer, WhoIsForgottenBeginsAnew) {
    plan();
    round();
    count(60);
    round();
    count(60);
    EXPECT_EQ(complete()->page_cache, PageCache::seen);
    physical_->plan({}, PhysicalUse::page_cache);
    plan();
    EXPECT_EQ(complete()->page_cache, PageCache::pending);
    EXPECT_THAT(physical_->plan({web_}, PhysicalUse::nothing).counts, IsEmpty());
    EXPECT_EQ(complete()->page_cache, PageCache::off);
}

} // namespace
} // namespace cgtide::monitor
