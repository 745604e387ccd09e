#pragma once

#include "engine/damon/ownership.hpp"
#include "engine/damon/pool.hpp"
#include "engine/damon/tree.hpp"
#include "tests/engine/damon/targets.hpp"
#include "tests/support/fake_damon.hpp"
#include "tests/support/temp_dir.hpp"

#include <optional>
#include <vector>

#include <gtest/gtest.h>

namespace cgtide::test {

/// A kernel with DAMON in which the engine runs, and the engine's run folder.
class RealmTest : public ::testing::Test {
protected:
    RealmTest() { kernel_.add_process(kEngine); }

    /// The process 100 + `key`.
    static damon::Target target(damon::TargetKey key, std::vector<damon::Range> ranges = {kRange}) {
        return {.key = key, .pid = static_cast<int>(100 + key), .pid_start = 100, .ranges = ranges};
    }

    TempDir run_;
    Dir run_dir_ = run_.dir();
    FakeDamon kernel_;
    damon::Tree tree_{kernel_.tree(), Microseconds(0)};
    damon::Realm realm_{&run_dir_, &tree_, &kernel_.modules(), &kernel_.host()};
};

/// ... that owns DAMON and opens a pool.
class PoolTest : public RealmTest {
protected:
    void own(std::size_t slots) {
        ownership_.emplace(damon::Ownership::acquire(
                               realm_, {.slots = slots, .take_modules = true, .engine = kEngine})
                               .value());
    }

    std::optional<damon::Ownership> ownership_;
    std::optional<damon::Pool> pool_;
};

} // namespace cgtide::test
