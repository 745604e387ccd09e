#include "engine/monitor/common_files.hpp"

#include <gmock/gmock.h>

namespace cgtide::monitor {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr CgroupId kWeb{1};
constexpr CgroupId kData{2};

Space space_of(const std::vector<FileId>& files) {
    Space space;
    for (const FileId& file : files) {
        cgroup::Mapping mapping;
        mapping.device = file.device;
        mapping.inode = file.inode;
        space.mappings.push_back(mapping);
    }
    return space;
}

TEST(CommonFiles, AreThoseOfTwoContainers) {
    CommonFiles files;
    EXPECT_THAT(files.of(kWeb), IsEmpty());
    // Two processes of one container make no file common, and anonymous memory has none.
    files.set(kWeb, std::vector{space_of({{1, 9}, {1, 7}, {0, 0}}), space_of({{1, 7}, {2, 7}})});
    EXPECT_THAT(files.of(kWeb), IsEmpty());
    files.set(kData, std::vector{space_of({{2, 7}, {1, 9}, {0, 0}, {1, 8}})});
    EXPECT_THAT(files.of(kWeb), ElementsAre(FileId{1, 9}, FileId{2, 7}));
    EXPECT_THAT(files.of(kData), ElementsAre(FileId{1, 9}, FileId{2, 7}));
}

TEST(CommonFiles, FollowWhatIsMappedNow) {
    CommonFiles files;
    files.set(kWeb, std::vector{space_of({{1, 7}, {1, 8}})});
    files.set(kData, std::vector{space_of({{1, 7}, {1, 8}})});
    files.set(kData, std::vector{space_of({{1, 8}})});
    EXPECT_THAT(files.of(kWeb), ElementsAre(FileId{1, 8}));
    files.forget(kData);
    files.forget(kData);
    EXPECT_THAT(files.of(kWeb), IsEmpty());
}

} // namespace
} // namespace cgtide::monitor
