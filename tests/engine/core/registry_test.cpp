#include "engine/core/registry.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cgtide::core {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

Registry::Pointer make(std::uint64_t id, const std::string& name, const std::string& path,
                       const std::string& runtime_id = "") {
    auto container = std::make_shared<Container>();
    container->id = CgroupId{id};
    container->key = "key" + std::to_string(id);
    container->policy.name = name;
    container->record.id = runtime_id.empty() ? "id-of-" + name : runtime_id;
    container->record.cgroup_path = path;
    container->registered_ms = 1;
    return container;
}

std::vector<std::string> names(const std::vector<Registry::Pointer>& containers) {
    std::vector<std::string> all;
    for (const auto& container : containers) {
        all.push_back(container->policy.name);
    }
    return all;
}

class RegistryOfThree : public testing::Test {
protected:
    RegistryOfThree() {
        registry_.add(make(11, "web", "/web", "aaa1"));
        registry_.add(make(12, "webcam", "/webcam", "aab2"));
        registry_.add(make(13, "db", "/db", "b3"));
    }

    std::string found(std::string_view text) const {
        const auto container = registry_.find(text);
        return container ? (*container)->policy.name : container.error().message();
    }

    Registry registry_;
};

TEST_F(RegistryOfThree, FindsByNameIdAndCgroupId) {
    EXPECT_EQ(found("web"), "web"); // though webcam begins with it
    EXPECT_EQ(found("aab2"), "webcam");
    EXPECT_EQ(found("13"), "db");
}

TEST_F(RegistryOfThree, FindsByUniquePrefix) {
    EXPECT_EQ(found("d"), "db");
    EXPECT_EQ(found("webc"), "webcam");
    EXPECT_EQ(found("aaa"), "web");
}

TEST_F(RegistryOfThree, AnAmbiguousPrefixListsTheMatches) {
    const auto container = registry_.find("we");
    ASSERT_FALSE(container);
    EXPECT_EQ(container.error().code, Errc::conflict);
    EXPECT_EQ(container.error().detail, "web (cgroup 11)\nwebcam (cgroup 12)");
    EXPECT_FALSE(registry_.find(""));
}

TEST_F(RegistryOfThree, TwoContainersOfOneNameAreAmbiguous) {
    registry_.add(make(14, "db", "/db2", "b4"));
    const auto container = registry_.find("db");
    ASSERT_FALSE(container);
    EXPECT_EQ(container.error().code, Errc::conflict);
    EXPECT_EQ(found("14"), "db");
}

TEST_F(RegistryOfThree, WhatIsNotThereIsNotFound) {
    const auto container = registry_.find("x\x1b");
    ASSERT_FALSE(container);
    EXPECT_EQ(container.error().code, Errc::not_found);
    EXPECT_THAT(container.error().detail, HasSubstr("\\x1b"));
}

TEST_F(RegistryOfThree, ListsByNameAndEndedOnesLast) {
    registry_.end(CgroupId{11}, 5, TimePoint{});
    EXPECT_THAT(names(registry_.list(false)), ElementsAre("db", "webcam"));
    EXPECT_THAT(names(registry_.list(true)), ElementsAre("db", "webcam", "web"));
    EXPECT_EQ(registry_.by_id(CgroupId{11}), nullptr);
    EXPECT_EQ(registry_.by_key("key11"), nullptr);
    EXPECT_EQ(registry_.by_key("key12")->policy.name, "webcam");
}

TEST_F(RegistryOfThree, FindsEndedOnesAfterLiveOnes) {
    registry_.end(CgroupId{13}, 5, TimePoint{});
    EXPECT_EQ(found("db"), "db");
    registry_.add(make(14, "db", "/db", "b4"));
    EXPECT_EQ((*registry_.find("db"))->id, CgroupId{14});
    EXPECT_EQ((*registry_.find("b3"))->id, CgroupId{13});
}

TEST_F(RegistryOfThree, OfEndedNamesakesTheLastIsMeant) {
    registry_.end(CgroupId{13}, 5, TimePoint{});
    registry_.add(make(14, "db", "/db", "b4"));
    registry_.end(CgroupId{14}, 6, TimePoint{});
    EXPECT_EQ((*registry_.find("db"))->id, CgroupId{14});
    EXPECT_FALSE(registry_.find("b")); // a prefix of two: nobody is guessed
}

TEST_F(RegistryOfThree, AnEndedContainerLetsGoOfItsDescriptorsAndApps) {
    const auto web = registry_.by_id(CgroupId{11});
    web->tenants[0].emplace();
    registry_.end(CgroupId{11}, 5, TimePoint{});
    EXPECT_TRUE(web->ended());
    EXPECT_EQ(web->group, nullptr);
    EXPECT_FALSE(web->tenants[0]);
    registry_.end(CgroupId{11}, 6, TimePoint{}); // twice is once
    EXPECT_THAT(registry_.list(true), SizeIs(3));
}

TEST(Registry, EndedContainersAreKeptForAnHour) {
    Registry registry;
    registry.add(make(1, "a", "/a"));
    const TimePoint ended(std::chrono::hours(3));
    registry.end(CgroupId{1}, 1000, ended);
    registry.expire(ended + Registry::kKeepEnded);
    EXPECT_THAT(registry.list(true), SizeIs(1));
    registry.expire(ended + Registry::kKeepEnded + Microseconds(1));
    EXPECT_THAT(registry.list(true), IsEmpty());
}

TEST(Registry, TheLast64EndedAreKept) {
    Registry registry;
    for (std::uint64_t id = 1; id <= Registry::kMostEnded + 3; ++id) {
        registry.add(make(id, "c" + std::to_string(id), "/c"));
        registry.end(CgroupId{id}, 1, TimePoint{});
    }
    EXPECT_THAT(registry.list(true), SizeIs(Registry::kMostEnded));
    EXPECT_FALSE(registry.find("c3"));
    EXPECT_TRUE(registry.find("c4"));
}

/// Which of the paths are marked as having another one inside.
std::vector<std::string> nested(const std::vector<std::string>& paths) {
    Registry registry;
    std::uint64_t id = 0;
    for (const std::string& path : paths) {
        registry.add(make(++id, path, path));
    }
    std::vector<std::string> marked;
    for (const auto& container : registry.list(false)) {
        if (container->has_nested) {
            marked.push_back(container->record.cgroup_path);
        }
    }
    return marked;
}

TEST(RegistryNesting, MarksTheOuterOne) {
    EXPECT_THAT(nested({"/a", "/a/b"}), ElementsAre("/a"));
    EXPECT_THAT(nested({"/a/b", "/a"}), ElementsAre("/a"));
    EXPECT_THAT(nested({"/a", "/a/b/c", "/a/b"}), ElementsAre("/a", "/a/b"));
    EXPECT_THAT(nested({"/a", "/b"}), IsEmpty());
}

TEST(RegistryNesting, HoldsWholeComponentsAgainstEachOther) {
    EXPECT_THAT(nested({"/a", "/ab"}), IsEmpty());
    EXPECT_THAT(nested({"/a", "/a-b", "/a/b"}), ElementsAre("/a"));
    EXPECT_THAT(nested({"/a", "/a-b", "/a.c/d", "/a/b", "/ab"}), ElementsAre("/a"));
}

TEST(RegistryNesting, IsNotFooledByBytesBeyondAscii) {
    EXPECT_THAT(nested({"/a", "/a\xc3\xa4", "/a/b"}), ElementsAre("/a"));
    EXPECT_THAT(nested({"/a", "/a\x01", "/a/b"}), ElementsAre("/a"));
}

TEST(RegistryNesting, TheMarkGoesWithTheInnerOne) {
    Registry registry;
    registry.add(make(1, "outer", "/a"));
    registry.add(make(2, "inner", "/a/b"));
    EXPECT_TRUE(registry.by_id(CgroupId{1})->has_nested);
    registry.end(CgroupId{2}, 1, TimePoint{});
    EXPECT_FALSE(registry.by_id(CgroupId{1})->has_nested);
}

TEST(RegistryRefusals, AreOneForAKey) {
    Registry registry;
    registry.refuse({"k1", "web", "gone", "first"});
    registry.refuse({"k2", "db", "malformed", "other"});
    registry.refuse({"k1", "web", "shared-cgroup", "second"});
    ASSERT_THAT(registry.refused(), SizeIs(2));
    EXPECT_EQ(registry.refused()[1].message, "second");
    registry.unrefuse("k1");
    registry.unrefuse("k9");
    ASSERT_THAT(registry.refused(), SizeIs(1));
    EXPECT_EQ(registry.refused()[0].key, "k2");
}

TEST(RegistryRefusals, TheOldestLeaveFirst) {
    Registry registry;
    for (std::size_t i = 0; i < Registry::kMostRefused + 5; ++i) {
        registry.refuse({std::to_string(i), "", "malformed", ""});
    }
    ASSERT_THAT(registry.refused(), SizeIs(Registry::kMostRefused));
    EXPECT_EQ(registry.refused().front().key, "5");
}

} // namespace
} // namespace cgtide::core
