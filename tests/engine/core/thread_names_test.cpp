#include "engine/core/thread_names.hpp"

#include <filesystem>
#include <fstream>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cgtide::core {
namespace {

TEST(ThreadNames, EachThreadOfAPoolHasTheName) {
    boost::asio::thread_pool pool(3);
    name_threads(pool, 3, "test-threads");
    std::map<std::string, int> names;
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
        std::string name;
        std::ifstream(task.path() / "comm") >> name;
        ++names[name];
    }
    EXPECT_EQ(names["test-threads"], 3);
    pool.join();
}

TEST(ThreadNames, ManyPoolsInARowAllEnd) {
    for (int i = 0; i < 500; ++i) {
        boost::asio::thread_pool pool(3);
        name_threads(pool, 3, "test-threads");
        pool.join();
    }
}

} // namespace
} // namespace cgtide::core
