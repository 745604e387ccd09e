#include "oci/annotations.hpp"

#include <gmock/gmock.h>

namespace cgtide::oci {
namespace {

TEST(Annotations, KnowsItsOwnDomain) {
    for (const char* key : {"cgtide.io/apps", "cgtide.io/", "apps.cgtide.io/web",
                            "reclaim.pressure.cgtide.io/web", "x.cgtide.io/a/b"}) {
        EXPECT_TRUE(is_cgtide_key(key)) << key;
    }
    for (const char* key : {"", "cgtide.io", "cgtide.iox/apps", "xcgtide.io/apps", "apps.cgtide.io",
                            ".cgtide.io/web", "example.org/cgtide.io/apps"}) {
        EXPECT_FALSE(is_cgtide_key(key)) << key;
    }
}

TEST(Annotations, FindsAnyKeyOfItsOwn) {
    EXPECT_FALSE(has_cgtide_key({}));
    EXPECT_FALSE(has_cgtide_key({{"io.kubernetes.pod.name", "p"}}));
    EXPECT_TRUE(has_cgtide_key({{"a", "b"}, {"apps.cgtide.io/web", "stat"}}));
}

TEST(Annotations, RecordsKeepOnlyWhatIsUsed) {
    const Annotations kept = relevant({{"cgtide.io/apps", "stat"},
                                       {"io.kubernetes.pod.name", "p"},
                                       {"io.kubernetes.cri.sandbox-namespace", "ns"},
                                       {"org.example/secret", "s"}});
    EXPECT_THAT(kept, testing::UnorderedElementsAre(
                          testing::Pair("cgtide.io/apps", "stat"),
                          testing::Pair("io.kubernetes.pod.name", "p"),
                          testing::Pair("io.kubernetes.cri.sandbox-namespace", "ns")));
}

TEST(Annotations, RecordsShowThatAValueWasTooLong) {
    const std::string fits(kMaxValueBytes, 'x');
    const Annotations kept =
        relevant({{"cgtide.io/name", fits}, {"cgtide.io/apps", std::string(1U << 20U, 'x')}});
    EXPECT_EQ(kept.at("cgtide.io/name"), fits);
    EXPECT_EQ(kept.at("cgtide.io/apps").size(), kMaxValueBytes + 1);
}

TEST(Annotations, CutsBetweenCharacters) {
    std::string text(kMaxValueBytes, 'x');
    for (int i = 0; i < 10; ++i) {
        text += "é";
    }
    EXPECT_EQ(relevant({{"cgtide.io/name", text}}).at("cgtide.io/name"),
              text.substr(0, kMaxValueBytes + 2));
}

TEST(Annotations, NamesComeFromTheKeyThenKubernetesThenTheId) {
    Annotations crio{{"io.kubernetes.pod.namespace", "team"},
                     {"io.kubernetes.pod.name", "shop"},
                     {"io.kubernetes.container.name", "web"}};
    EXPECT_EQ(display_name(crio, "id1"), "team/shop/web");
    const Annotations containerd{{"io.kubernetes.cri.sandbox-namespace", "team"},
                                 {"io.kubernetes.cri.sandbox-name", "shop"},
                                 {"io.kubernetes.cri.container-name", "web"}};
    EXPECT_EQ(display_name(containerd, "id1"), "team/shop/web");
    EXPECT_EQ(container_in_pod(containerd), "web");
    EXPECT_EQ(name_space(containerd), "team");
    crio["cgtide.io/name"] = "pod";
    EXPECT_EQ(display_name(crio, "id1"), "pod");
    crio["name.cgtide.io/web"] = "front";
    crio["name.cgtide.io/db"] = "back";
    EXPECT_EQ(display_name(crio, "id1"), "front");
    EXPECT_EQ(display_name({}, "id1"), "id1");
}

TEST(Annotations, PassesOverNamesThatCannotBe) {
    EXPECT_EQ(display_name({{"cgtide.io/name", ""}}, "id1"), "id1");
    EXPECT_EQ(display_name({{"cgtide.io/name", std::string(254, 'x')}}, "id1"), "id1");
}

} // namespace
} // namespace cgtide::oci
