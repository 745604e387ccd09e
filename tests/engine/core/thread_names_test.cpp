#include "engine/core/thread_names.hpp"

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cgtide::core {
namespace {

/// Threads of this process by name.
std::map<std::string, int> threads() {
    std::map<std::string, int> names;
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
        std::string name;
        std::ifstream(task.path() / "comm") >> name;
        ++names[name];
    }
    return names;
}

TEST(ThreadNames, EachThreadOfAPoolHasTheName) {
    boost::asio::thread_pool pool(3);
    name_threads(pool, 3, "test-threads");
    EXPECT_EQ(threads()["test-threads"], 3);
    pool.join();
}

TEST(ThreadNames, ManyPoolsInARowAllEnd) {
    for (int i = 0; i < 500; ++i) {
        boost::asio::thread_pool pool(3);
        name_threads(pool, 3, "test-threads");
        pool.join();
    }
    while (threads()["test-threads"] >
           0) { // one that was joined is listed until it has wholly ended
        std::this_thread::yield();
    }
}

} // namespace
} // namespace cgtide::core
