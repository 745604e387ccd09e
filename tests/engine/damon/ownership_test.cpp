#include "engine/damon/ownership.hpp"
#include "engine/damon/pool.hpp"
#include "tests/engine/damon/fixtures.hpp"

#include <filesystem>

#include <gmock/gmock.h>

namespace cgtide::damon {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

using test::kEngine;
constexpr Claim kClaim{.slots = 2, .take_modules = true, .engine = kEngine};

/// What the engine's end by SIGKILL is to a test: nothing of it runs any more.
struct Killed {};

class Owned : public test::RealmTest {
protected:
    Owned() {
        for (int pid = 101; pid < 104; ++pid) {
            kernel_.add_process(pid);
        }
        kernel_.set_module("damon_stat", true);
        kernel_.set_module("damon_reclaim", false);
    }

    bool has_record() const { return std::filesystem::exists(run_.path() + "/" + kRecordFile); }

    /// One engine's whole life, with all kinds of changes to a slot.
    void live() {
        auto ownership = Ownership::acquire(realm_, kClaim).value();
        PoolOptions options;
        options.targets_per_slot = 1;
        auto pool = Pool::open(ownership, options).value();
        ASSERT_TRUE(pool.apply({target(1), target(2)}));
        ASSERT_TRUE(pool.apply({target(3), target(2)}));
        ASSERT_TRUE(pool.apply({target(2)}));
        ASSERT_TRUE(pool.stop());
        ASSERT_TRUE(ownership.release());
    }

    void expect_as_found() {
        EXPECT_EQ(kernel_.get("nr_kdamonds"), "0");
        EXPECT_TRUE(kernel_.module("damon_stat"));
        EXPECT_FALSE(kernel_.module("damon_reclaim"));
        EXPECT_FALSE(has_record());
    }
};

TEST_F(Owned, ModulesStopWhileWeRunAndStartAfterwards) {
    auto ownership = Ownership::acquire(realm_, kClaim).value();
    EXPECT_EQ(kernel_.get("nr_kdamonds"), "2");
    EXPECT_FALSE(kernel_.module("damon_stat"));
    EXPECT_THAT(decode(run_.read(kRecordFile)).value().modules, ElementsAre("damon_stat"));
    const Recovered released = ownership.release().value();
    EXPECT_THAT(released.started, ElementsAre("damon_stat"));
    expect_as_found();
}

TEST_F(Owned, TheRecordIsWrittenBeforeAnythingIs) {
    kernel_.on_write(
        [&](const std::string&, std::string_view, bool) { EXPECT_TRUE(has_record()); });
    live();
    EXPECT_GT(kernel_.writes(), 20);
    expect_as_found();
}

TEST_F(Owned, WithoutTakeoverAModuleIsAConflict) {
    const auto refused =
        Ownership::acquire(realm_, {.slots = 2, .take_modules = false, .engine = kEngine});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, make_error_code(Errc::conflict));
    EXPECT_THAT(refused.error().message(), HasSubstr("damon_stat"));
    EXPECT_EQ(kernel_.writes(), 0);
    EXPECT_FALSE(has_record());
}

TEST_F(Owned, AStrangerThatRunsIsNamed) {
    kernel_.set_module("damon_stat", false);
    kernel_.poke("nr_kdamonds", "1");
    kernel_.poke("0/contexts/nr_contexts", "1");
    kernel_.poke("0/state", "on");
    const auto refused = Ownership::acquire(realm_, kClaim);
    EXPECT_THAT(refused.error().message(), HasSubstr(std::to_string(kernel_.worker(0))));
    EXPECT_EQ(kernel_.writes(), 0);
}

TEST_F(Owned, AStrangerThatIsOnlyConfiguredIsAConflict) {
    kernel_.poke("nr_kdamonds", "1");
    const auto refused = Ownership::acquire(realm_, kClaim);
    EXPECT_THAT(refused.error().message(), StartsWith("use DAMON: somebody else does: "));
    EXPECT_THAT(refused.error().message(), HasSubstr("configured"));
    EXPECT_EQ(kernel_.writes(), 0);
}

TEST_F(Owned, AWorkerOfNobodyIsAConflict) {
    kernel_.set_stray_kdamond(777);
    const auto refused = Ownership::acquire(realm_, kClaim);
    EXPECT_THAT(refused.error().message(), HasSubstr("777"));
    EXPECT_EQ(kernel_.writes(), 0);
}

TEST_F(Owned, AModuleThatCannotBeStoppedUndoesTheClaim) {
    kernel_.set_module("damon_lru_sort", true);
    kernel_.fail("damon_lru_sort/parameters/enabled", EINVAL);
    EXPECT_FALSE(Ownership::acquire(realm_, kClaim));
    EXPECT_EQ(kernel_.get("nr_kdamonds"), "0");
}

TEST_F(Owned, ALivingEnginesRecordIsAConflict) {
    auto ownership = Ownership::acquire(realm_, kClaim).value();
    EXPECT_THAT(recover(realm_).error().message(), HasSubstr("pid 42"));
    EXPECT_TRUE(has_record());
}

/// Kills the engine before and after every write that its life makes.
TEST_F(Owned, AKillAnywhereIsCleanedUp) {
    live();
    const int all = kernel_.writes();
    for (const bool after : {false, true}) {
        for (int last = 1; last <= all; ++last) {
            SCOPED_TRACE(std::to_string(last) + (after ? " done" : " not done"));
            kernel_.add_process(kEngine);
            int seen = 0;
            kernel_.on_write([&](const std::string&, std::string_view, bool done) {
                seen += done == after ? 1 : 0;
                if (seen == last && done == after) {
                    throw Killed{};
                }
            });
            EXPECT_THROW(live(), Killed);
            kernel_.on_write({});
            kernel_.end_process(kEngine);
            const auto recovered = recover(realm_);
            ASSERT_TRUE(recovered) << recovered.error().message();
            EXPECT_EQ(recovered->what, Recovered::What::cleaned);
            expect_as_found();
        }
    }
}

TEST_F(Owned, ARecordOfAnotherBootIsDropped) {
    Record record;
    record.boot_id = "another";
    record.slots = 2;
    record.modules = {"damon_reclaim"};
    ASSERT_TRUE(save_record(run_dir_, record));
    EXPECT_EQ(recover(realm_)->what, Recovered::What::dropped);
    EXPECT_FALSE(has_record());
    EXPECT_FALSE(kernel_.module("damon_reclaim"));
    EXPECT_EQ(kernel_.writes(), 0);
}

TEST_F(Owned, NoRecordIsNothing) {
    EXPECT_EQ(recover(realm_)->what, Recovered::What::nothing);
}

TEST_F(Owned, AnUnreadableRecordIsDroppedOnlyWhileNobodyUsesTheTree) {
    run_.write(kRecordFile, "{");
    kernel_.poke("nr_kdamonds", "1");
    EXPECT_FALSE(recover(realm_));
    kernel_.poke("nr_kdamonds", "0");
    EXPECT_EQ(recover(realm_)->what, Recovered::What::dropped);
    EXPECT_FALSE(has_record());
}

/// An engine that was killed with one worker running in slot 0.
class Abandoned : public Owned {
protected:
    Abandoned() {
        auto ownership = Ownership::acquire(realm_, kClaim).value();
        auto pool = Pool::open(ownership, {}).value();
        EXPECT_TRUE(pool.apply({target(1)}));
        kernel_.end_process(kEngine);
    }

    void expect_theirs() {
        const Recovered recovered = recover(realm_).value();
        EXPECT_EQ(recovered.what, Recovered::What::theirs);
        EXPECT_THAT(recovered.started, IsEmpty());
        EXPECT_THAT(recovered.owed, ElementsAre("damon_stat"));
        EXPECT_FALSE(kernel_.module("damon_stat"));
    }
};

TEST_F(Abandoned, IsCleanedByTheNextStart) {
    kernel_.add_process(43);
    auto ownership = Ownership::acquire(realm_, {.slots = 4, .take_modules = true, .engine = 43});
    ASSERT_TRUE(ownership) << ownership.error().message();
    EXPECT_EQ(kernel_.get("nr_kdamonds"), "4");
    EXPECT_FALSE(kernel_.running(0));
    ASSERT_TRUE(ownership->release());
    expect_as_found();
}

TEST_F(Abandoned, AStrangersWorkerRunsOn) {
    kernel_.poke("1/contexts/nr_contexts", "1");
    kernel_.poke("1/state", "on");
    expect_theirs();
    EXPECT_NE(kernel_.worker(1), 0);
    EXPECT_EQ(kernel_.worker(0), 0) << "ours, beyond doubt";
    EXPECT_EQ(kernel_.get("nr_kdamonds"), "2");
    // Once they have left, the modules start.
    kernel_.poke("1/state", "off");
    kernel_.poke("nr_kdamonds", "0");
    EXPECT_THAT(recover(realm_)->started, ElementsAre("damon_stat"));
    expect_as_found();
}

TEST_F(Abandoned, AStrangersConfigurationStays) {
    kernel_.poke("0/state", "off");
    kernel_.poke("0/contexts/0/targets/0/pid_target", "101");
    expect_theirs();
    EXPECT_EQ(kernel_.get("0/contexts/0/targets/0/pid_target"), "101");
}

TEST_F(Abandoned, AnotherNumberOfSlotsIsTheirs) {
    kernel_.poke("0/state", "off");
    kernel_.poke("nr_kdamonds", "3");
    expect_theirs();
    EXPECT_EQ(kernel_.get("nr_kdamonds"), "3");
}

TEST_F(Abandoned, AStrangersWorkerInOurSlotRunsOn) {
    kernel_.poke("0/state", "off");
    kernel_.poke("0/contexts/0/targets/nr_targets", "1");
    kernel_.poke("0/contexts/0/targets/0/pid_target", "103");
    kernel_.poke("0/state", "on");
    expect_theirs();
    EXPECT_NE(kernel_.worker(0), 0);
}

TEST_F(Abandoned, AWorkerThatEndedByItselfIsNoStranger) {
    kernel_.poke("0/state", "off");
    EXPECT_EQ(recover(realm_)->what, Recovered::What::cleaned);
    expect_as_found();
}

TEST(DamonRecord, SurvivesTheFile) {
    const Record record{.boot_id = "b",
                        .engine = 3,
                        .engine_start = 5,
                        .slots = 64,
                        .workers = {{1, 2, 3}, {4, 0, 0}},
                        .modules = {"damon_stat"}};
    EXPECT_EQ(decode(encode(record)).value(), record);
}

TEST(DamonRecord, RejectsWhatIsNone) {
    for (const char* text : {"", "[]", "{}", R"({"version":2})", R"({"version":1,"boot_id":3})"}) {
        EXPECT_EQ(decode(text).error().code, make_error_code(Errc::malformed)) << text;
    }
}

} // namespace
} // namespace cgtide::damon
