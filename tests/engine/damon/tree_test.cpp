#include "engine/damon/support.hpp"
#include "engine/damon/tree.hpp"
#include "tests/support/fake_damon.hpp"

#include <cerrno>

#include <gmock/gmock.h>

namespace cgtide::damon {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Tree, TriesAgainWhileItIsBusy) {
    test::FakeDamon kernel;
    Tree tree(kernel.tree());
    kernel.fail("nr_kdamonds", EBUSY, 3);
    EXPECT_TRUE(tree.write("nr_kdamonds", "2"));
    EXPECT_EQ(kernel.writes(), 4);
    EXPECT_EQ(tree.number("nr_kdamonds").value(), 2U);
}

TEST(Tree, GivesUpWhenItsPatienceEnds) {
    test::FakeDamon kernel;
    Tree tree(kernel.tree(), Microseconds(0));
    kernel.fail("nr_kdamonds", EBUSY, 1000);
    const auto done = tree.write("nr_kdamonds", "2");
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, std::errc::device_or_resource_busy);
    EXPECT_THAT(done.error().message(), HasSubstr("nr_kdamonds '2'"));
    EXPECT_THAT(done.error().message(), HasSubstr("another user"));
}

TEST(Tree, SaysWhatErrorsOfACommitMean) {
    test::FakeDamon kernel;
    Tree tree(kernel.tree());
    ASSERT_TRUE(tree.write("nr_kdamonds", "1"));
    kernel.fail("state", EINVAL);
    EXPECT_THAT(tree.write("0/state", "commit").error().message(), HasSubstr("pid of a target"));
    kernel.fail("state", ENOMEM);
    EXPECT_THAT(tree.write("0/state", "commit").error().message(), HasSubstr("memcg path"));
    kernel.fail("nr_targets", ENOMEM);
    EXPECT_EQ(tree.write("0/contexts/nr_contexts", "1").has_value(), true);
    EXPECT_EQ(tree.write("0/contexts/0/targets/nr_targets", "1").error().code,
              std::errc::not_enough_memory);
}

TEST(Tree, ReadsWorkers) {
    test::FakeDamon kernel;
    Tree tree(kernel.tree());
    ASSERT_TRUE(tree.write("nr_kdamonds", "1"));
    EXPECT_EQ(tree.worker(0).value(), 0);
    kernel.add_process(5);
    kernel.poke("0/contexts/nr_contexts", "1");
    kernel.poke("0/contexts/0/targets/nr_targets", "1");
    kernel.poke("0/contexts/0/targets/0/pid_target", "5");
    kernel.poke("0/state", "on");
    EXPECT_EQ(tree.worker(0).value(), kernel.worker(0));
    EXPECT_TRUE(is_gone(tree.worker(7).error()));
}

TEST(Support, ReadsWhatIsThere) {
    test::FakeDamon kernel;
    Tree tree(kernel.tree());
    ASSERT_TRUE(tree.write("nr_kdamonds", "1"));
    const Support all{true, true, true, true, true, true, true, true, true, true, true, true};
    EXPECT_EQ(probe_support(tree, 0).value(), all);
    EXPECT_EQ(tree.number("0/contexts/nr_contexts").value(), 0U);
}

TEST(Support, MissesWhatIsNot) {
    test::FakeDamon kernel;
    kernel.set_operations("vaddr\npaddr\n");
    for (const char* file :
         {"obsolete_target", "goal_tuner", "fail_charge_num", "nr_dests", "nr_probes",
          "max_nr_snapshots", "total_bytes", "sz_ops_filter_passed"}) {
        kernel.remove_file(file);
    }
    kernel.set_unmapped(false);
    Tree tree(kernel.tree());
    ASSERT_TRUE(tree.write("nr_kdamonds", "1"));
    const Support few{.vaddr = true, .paddr = true};
    EXPECT_EQ(probe_support(tree, 0).value(), few);
}

TEST(Support, LeavesASlotBareAfterAnError) {
    test::FakeDamon kernel;
    Tree tree(kernel.tree());
    ASSERT_TRUE(tree.write("nr_kdamonds", "1"));
    kernel.fail("nr_schemes", ENOMEM);
    EXPECT_FALSE(probe_support(tree, 0));
    EXPECT_EQ(tree.number("0/contexts/nr_contexts").value(), 0U);
}

TEST(Modules, AreReadAndSet) {
    test::FakeDamon kernel;
    kernel.set_module("damon_stat", true);
    kernel.set_module("damon_reclaim", false);
    EXPECT_THAT(read_modules(kernel.modules()),
                ElementsAre(Module{"damon_stat", true}, Module{"damon_reclaim", false}));
    EXPECT_TRUE(set_module(kernel.modules(), "damon_stat", false));
    EXPECT_FALSE(kernel.module("damon_stat"));
}

} // namespace
} // namespace cgtide::damon
