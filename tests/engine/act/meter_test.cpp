#include "engine/act/meter.hpp"
#include "tests/support/fake_tree.hpp"

#include <cerrno>

#include <gtest/gtest.h>

namespace cgtide::act {
namespace {

using model::OutcomeEnd;

class MeterTest : public testing::Test {
protected:
    MeterTest() : id_(tree_.add_group("/web")), dir_(tree_.dir().dir("sys/fs/cgroup/web")) {
        use(mebibytes(30));
    }

    void use(Bytes bytes) {
        tree_.set("/web", "memory.current", std::to_string(bytes.count) + "\n");
    }

    Meter begin() const {
        model::Decision decision{model::AppName::reclaim, id_, mebibytes(8), model::Pages::all, {}};
        decision.actuator = model::Actuator::pageout;
        decision.proven = Microseconds(1);
        return {dir_, decision};
    }

    test::FakeTree tree_;
    CgroupId id_;
    Dir dir_;
};

TEST_F(MeterTest, BooksTheFallOfUsage) {
    Meter meter = begin();
    use(mebibytes(25));
    EXPECT_EQ(meter.fallen().value(), mebibytes(5));
    use(mebibytes(23));
    const model::Outcome outcome = meter.finish();
    EXPECT_EQ(outcome.taken, mebibytes(7));
    EXPECT_EQ(outcome.asked, mebibytes(8));
    EXPECT_EQ(outcome.actuator, model::Actuator::pageout);
    EXPECT_EQ(outcome.id, id_);
    EXPECT_TRUE(outcome.proven);
}

TEST_F(MeterTest, UsageThatGrewMeanwhileIsNoFall) {
    Meter meter = begin();
    use(mebibytes(31));
    EXPECT_EQ(meter.finish().taken, Bytes{});
}

TEST_F(MeterTest, ACgroupThatIsNotThereIsGone) {
    tree_.remove_group("/web");
    Meter meter = begin();
    EXPECT_TRUE(meter.failed());
    EXPECT_EQ(meter.finish().end, OutcomeEnd::gone);
}

TEST_F(MeterTest, OneThatEndsMeanwhileHasLostNothingThatIsKnown) {
    Meter meter = begin();
    tree_.remove_group("/web");
    EXPECT_EQ(meter.finish().taken, Bytes{});
}

TEST_F(MeterTest, WhatIsNoNumberFails) {
    tree_.set("/web", "memory.current", "many\n");
    Meter meter = begin();
    EXPECT_TRUE(meter.failed());
    const model::Outcome outcome = meter.finish();
    EXPECT_EQ(outcome.end, OutcomeEnd::failed);
    EXPECT_EQ(outcome.error, EIO);
}

} // namespace
} // namespace cgtide::act
