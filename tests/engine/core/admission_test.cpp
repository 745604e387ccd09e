#include "engine/core/admission.hpp"
#include "tests/support/fake_tree.hpp"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cgtide::core {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kBoot = "11111111-2222-3333-4444-555555555555";

class Admission : public testing::Test {
protected:
    Admission() {
        query_.boot_id = kBoot;
        query_.engine_path = "/system/cgtide";
        query_.record.id = "web";
        query_.record.bundle = "/bundles/web";
        query_.record.boot_id = kBoot;
        stand_at("/pods/web");
    }

    void stand_at(const std::string& path) {
        query_.record.cgroup_path = path;
        query_.record.cgroup = tree_.add_group(path);
    }

    Error error() const {
        const auto admitted = admit(tree_.roots(), query_);
        return admitted ? Error{} : admitted.error();
    }

    test::FakeTree tree_;
    AdmissionQuery query_;
};

TEST_F(Admission, TakesALivingCgroupOfItsOwn) {
    const auto admitted = admit(tree_.roots(), query_);
    ASSERT_TRUE(admitted) << admitted.error().message();
    EXPECT_EQ(admitted->group->id(), query_.record.cgroup);
    EXPECT_FALSE(admitted->frozen);
}

TEST_F(Admission, SeesAFrozenOne) {
    tree_.add_group("/pods/web", {.frozen = true});
    EXPECT_TRUE(admit(tree_.roots(), query_)->frozen);
}

TEST_F(Admission, AnEarlierBootIsGone) {
    query_.record.boot_id = "another";
    EXPECT_EQ(error().code, Errc::gone);
    EXPECT_THAT(error().detail, HasSubstr("boot_id another"));
}

TEST_F(Admission, AMissingCgroupIsGone) {
    tree_.remove_group("/pods/web");
    EXPECT_TRUE(is_gone(error()));
}

TEST_F(Admission, AnotherCgroupUnderThePathIsGone) {
    query_.record.cgroup.value += 1000;
    EXPECT_EQ(error().code, Errc::gone);
    EXPECT_THAT(error().detail, HasSubstr("/pods/web is cgroup "));
}

TEST_F(Admission, ACgroupWithoutAProcessIsGone) {
    tree_.add_group("/pods/web", {.populated = false});
    EXPECT_EQ(error().code, Errc::gone);
}

TEST_F(Admission, RefusesTheRoot) {
    query_.record.cgroup_path = "/";
    EXPECT_EQ(error().code, Errc::conflict);
    EXPECT_EQ(error().detail, "shared-cgroup: / is the root cgroup");
}

TEST_F(Admission, RefusesTheEnginesCgroupAndItsAncestors) {
    stand_at("/system/cgtide");
    EXPECT_THAT(error().detail, StartsWith("shared-cgroup: /system/cgtide is the cgroup of"));
    stand_at("/system");
    EXPECT_THAT(error().detail, StartsWith("shared-cgroup: /system is an ancestor of"));
    stand_at("/system/cgtide2");
    EXPECT_EQ(error().detail, "");
}

TEST_F(Admission, RefusesTheCgroupOfAnotherContainer) {
    query_.residents = {{query_.record.cgroup, "0123456789abcdef", "db"}};
    EXPECT_EQ(error().code, Errc::conflict);
    EXPECT_EQ(error().detail, "shared-cgroup: /pods/web is registered by container db");
}

TEST_F(Admission, ItsOwnEarlierRegistrationIsNoStranger) {
    query_.residents = {{query_.record.cgroup, oci::record_key("/bundles/web", "web"), "web"}};
    EXPECT_TRUE(admit(tree_.roots(), query_));
}

TEST_F(Admission, OneIdFromTwoRuntimesIsTwoContainers) {
    query_.residents = {{query_.record.cgroup, oci::record_key("/other/web", "web"), "web"}};
    EXPECT_EQ(error().code, Errc::conflict);
    query_.residents = {{CgroupId{1}, oci::record_key("/other/web", "web"), "web"}};
    EXPECT_EQ(error().detail, "");
}

TEST_F(Admission, APathThatLeadsElsewhereIsMalformed) {
    for (const char* path : {"/pods/../pods/web", "/pods//web", "/pods/web/", "pods/web"}) {
        query_.record.cgroup_path = path;
        EXPECT_EQ(error().code, Errc::malformed) << path;
    }
}

TEST_F(Admission, ALinkIsNotFollowed) {
    std::filesystem::create_directory_symlink(tree_.path() + "/sys/fs/cgroup/pods/web",
                                              tree_.path() + "/sys/fs/cgroup/link");
    query_.record.cgroup_path = "/link";
    EXPECT_NE(error().code, std::error_code());
}

TEST(FrozenNow, ReadsCgroupEvents) {
    test::FakeTree tree;
    tree.add_group("/web", {.frozen = true});
    const Dir group = tree.dir().dir("sys/fs/cgroup/web");
    EXPECT_EQ(*frozen_now(group), true);
    tree.add_group("/web", {});
    EXPECT_EQ(*frozen_now(group), false);
    tree.add_group("/web", {.populated = false});
    EXPECT_EQ(frozen_now(group).error().code, Errc::gone);
    tree.set("/web", "cgroup.events", "nonsense\n");
    EXPECT_EQ(frozen_now(group).error().code, Errc::malformed);
    tree.remove_group("/web");
    EXPECT_TRUE(is_gone(frozen_now(group).error()));
}

} // namespace
} // namespace cgtide::core
