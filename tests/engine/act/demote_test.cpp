#include "engine/act/demote.hpp"
#include "tests/support/fake_tree.hpp"
#include "tests/support/times.hpp"

#include <cerrno>

#include <gtest/gtest.h>

namespace cgtide::act {
namespace {

using model::OutcomeEnd;

class DemoteTest : public testing::Test {
protected:
    DemoteTest() : id_(tree_.add_group("/web")) {
        install_interrupt_handler();
        dir_ = tree_.dir().dir("sys/fs/cgroup/web");
        tree_.set("/web", "memory.stat",
                  "anon 8192\nfile 0\npgdemote_proactive 7\npgsteal_proactive 7\n");
    }

    model::Outcome ask(Bytes bytes) {
        model::Decision decision{model::AppName::tier, id_, bytes, model::Pages::all, {}};
        decision.move = model::Move::demote;
        return demote(dir_, decision, test::kNever, interrupt_).outcome;
    }

    test::FakeTree tree_;
    CgroupId id_;
    Dir dir_;
    Interrupt interrupt_;
};

TEST(Demotion, IsWhatTheKernelCounts) {
    constexpr Bytes page = kibibytes(4);
    model::Outcome outcome;
    outcome.asked = mebibytes(8);
    outcome.end = OutcomeEnd::partial;
    const Demotion some = demotion(outcome, {10, 20}, {266, 276}, page);
    EXPECT_EQ(some.outcome.taken, mebibytes(1));
    EXPECT_EQ(some.dropped, Bytes{});
    const Demotion worse = demotion(outcome, {10, 20}, {266, 532}, page);
    EXPECT_EQ(worse.outcome.taken, mebibytes(1));
    EXPECT_EQ(worse.dropped, mebibytes(1));
    outcome.end = OutcomeEnd::done;
    EXPECT_EQ(demotion(outcome, {10, 20}, {10, 20}, page).outcome.taken, mebibytes(8))
        << "the counts are late";
    EXPECT_EQ(demotion(outcome, {10, 20}, {10, 276}, page).outcome.taken, mebibytes(7));
}

TEST_F(DemoteTest, AsksForAnonymousMemoryAlone) {
    const model::Outcome outcome = ask(mebibytes(3));
    EXPECT_EQ(tree_.get("/web", "memory.reclaim"), "3145728 swappiness=max");
    EXPECT_EQ(outcome.end, OutcomeEnd::done);
    EXPECT_EQ(outcome.move, model::Move::demote);
}

TEST_F(DemoteTest, AKernelThatDoesNotCountIsNotAsked) {
    tree_.set("/web", "memory.stat", "anon 8192\nfile 0\n");
    const model::Outcome outcome = ask(mebibytes(3));
    EXPECT_EQ(tree_.get("/web", "memory.reclaim"), "");
    EXPECT_EQ(outcome.end, OutcomeEnd::failed);
    EXPECT_EQ(outcome.error, EIO);
    EXPECT_EQ(outcome.move, model::Move::demote);
}

TEST_F(DemoteTest, AContainerThatEndedIsGone) {
    tree_.remove_group("/web");
    EXPECT_EQ(ask(mebibytes(3)).end, OutcomeEnd::gone);
}

TEST_F(DemoteTest, StoppedBeforehandItWritesNothing) {
    interrupt_.stop();
    EXPECT_EQ(ask(mebibytes(3)).end, OutcomeEnd::interrupted);
    EXPECT_EQ(tree_.get("/web", "memory.reclaim"), "");
}

} // namespace
} // namespace cgtide::act
