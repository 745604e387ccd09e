#include "engine/monitor/online_memory.hpp"
#include "tests/support/temp_dir.hpp"

#include <gmock/gmock.h>

namespace cgtide::monitor {
namespace {

using ::testing::ElementsAre;

class OnlineMemory : public ::testing::Test {
protected:
    void block(const std::string& name, const std::string& state) {
        sys_.write("devices/system/memory/" + name + "/state", state);
    }
    void block_size(const std::string& text) {
        sys_.write("devices/system/memory/block_size_bytes", text);
    }
    Result<std::vector<damon::Range>> memory() { return online_memory(sys_.dir()); }

    test::TempDir sys_;
};

TEST_F(OnlineMemory, IsAllBlocksThatAreOnline) {
    constexpr std::uint64_t kBlock = 0x8000000;
    block_size("8000000\n");
    block("memory0", "online\n");
    block("memory1", "online\n");
    block("memory2", "offline\n");
    block("memory10", "going-offline\n");
    block("memory9", "online\n");
    block("memory_other", "online\n");
    const auto ranges = memory();
    ASSERT_TRUE(ranges) << ranges.error().message();
    EXPECT_THAT(*ranges,
                ElementsAre(damon::Range{0, 2 * kBlock}, damon::Range{9 * kBlock, 10 * kBlock}));
}

TEST_F(OnlineMemory, OfANodeIsTheBlocksThatItHas) {
    constexpr std::uint64_t kBlock = 0x8000000;
    block_size("8000000\n");
    for (const char* name : {"memory0", "memory1", "memory2"}) {
        block(name, "online\n");
    }
    block("memory3", "offline\n");
    sys_.write("devices/system/node/node1/meminfo", "");
    sys_.make("devices/system/node/node1/memory2");
    sys_.make("devices/system/node/node1/memory3");
    EXPECT_THAT(online_memory(sys_.dir(), 1).value(),
                ElementsAre(damon::Range{2 * kBlock, 3 * kBlock}));
    EXPECT_FALSE(online_memory(sys_.dir(), 2)) << "there is no such node";
}

TEST_F(OnlineMemory, IsNotGuessed) {
    EXPECT_FALSE(memory());
    block("memory0", "online\n");
    for (const char* size : {"", "\n", "0\n", "x\n", "10000000000000000\n"}) {
        block_size(size);
        EXPECT_FALSE(memory()) << size;
    }
    block_size("8000000\n");
    EXPECT_TRUE(memory());
    block("memory18446744073709551615", "online\n");
    EXPECT_FALSE(memory());
    sys_.write("devices/system/memory/memory18446744073709551615/state", "offline\n");
    block("memory0", "offline\n");
    EXPECT_FALSE(memory());
}

} // namespace
} // namespace cgtide::monitor
