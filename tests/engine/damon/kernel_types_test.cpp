#include "engine/damon/kernel_types.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <bpf/btf.h>
#include <gmock/gmock.h>

namespace cgtide::damon {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// Types of a kernel, made by hand.
class KernelTypesTest : public ::testing::Test {
protected:
    KernelTypesTest() : types_(btf__new_empty()) {
        unsigned_ = btf__add_int(types_.get(), "unsigned int", 4, 0);
        void_ = btf__add_ptr(types_.get(), 0);
    }

    int add_struct(const char* name, const std::vector<const char*>& members) {
        const int id = btf__add_struct(types_.get(), name, 64);
        std::uint32_t bit = 0;
        for (const char* member : members) {
            btf__add_field(types_.get(), member, unsigned_, bit, 0);
            bit += 32;
        }
        return id;
    }

    /// Adds a tracepoint with these arguments behind its own.
    void add_tracepoint(const char* name, const std::vector<int>& arguments) {
        const int proto = btf__add_func_proto(types_.get(), 0);
        btf__add_func_param(types_.get(), nullptr, void_);
        for (const int type : arguments) {
            btf__add_func_param(types_.get(), nullptr, type);
        }
        const int pointer = btf__add_ptr(types_.get(), proto);
        btf__add_typedef(types_.get(), name, pointer);
    }

    KernelTypes told() const { return kernel_types(*types_); }

    struct Free {
        void operator()(btf* types) const { btf__free(types); }
    };
    std::unique_ptr<btf, Free> types_;
    int unsigned_ = 0;
    int void_ = 0;
};

TEST_F(KernelTypesTest, KnowsPartsByTheMembersOfTheirStructures) {
    add_struct("damon_sysfs_target", {"pid", "obsolete"});
    add_struct("damon_sysfs_quotas", {"ms", "goal_tuner"});
    add_struct("damon_sysfs_scheme", {"stats", "tried_regions"});
    add_struct("damon_sysfs_stats", {"nr_tried"});
    add_struct("something_else", {"dests", "max_nr_snapshots", "probes"});
    EXPECT_THAT(told().has, ElementsAre("obsolete_target", "goal_tuner", "tried_regions"));
    EXPECT_THAT(told().lacks, ElementsAre("probes", "fail_charge", "max_nr_snapshots", "dests"));
}

TEST_F(KernelTypesTest, AKernelWithoutDamonLacksAll) {
    EXPECT_THAT(told().has, IsEmpty());
    EXPECT_THAT(told().lacks, SizeIs(7));
    EXPECT_THAT(told().tracepoints, IsEmpty());
    EXPECT_THAT(told().no_aggregated, HasSubstr("damon_aggregated"));
}

TEST_F(KernelTypesTest, CountsTheArgumentsOfDamonsTracepoints) {
    const int region = btf__add_ptr(types_.get(), add_struct("damon_region", {}));
    add_tracepoint("btf_trace_damon_aggregated", {unsigned_, region, unsigned_});
    add_tracepoint("btf_trace_damos_esz", {unsigned_});
    add_tracepoint("btf_trace_sched_switch", {unsigned_});
    btf__add_typedef(types_.get(), "btf_trace_damon_odd", unsigned_);
    EXPECT_THAT(told().tracepoints,
                ElementsAre(Tracepoint{"damon_aggregated", 3}, Tracepoint{"damos_esz", 1}));
    EXPECT_EQ(told().no_aggregated, "");
}

TEST_F(KernelTypesTest, TellsWhyAnAggregatedOfAnotherFormCannotBeUsed) {
    add_tracepoint("btf_trace_damon_aggregated", {unsigned_});
    EXPECT_THAT(told().tracepoints, ElementsAre(Tracepoint{"damon_aggregated", 1}));
    EXPECT_THAT(told().no_aggregated, HasSubstr("u4"));
}

TEST_F(KernelTypesTest, ReadsWhatTheKernelHasInItsFile) {
    add_struct("damon_sysfs_attrs", {"probes"});
    std::uint32_t size = 0;
    const void* data = btf__raw_data(types_.get(), &size);
    const std::string bytes(static_cast<const char*>(data), size);
    EXPECT_THAT(read_kernel_types(bytes).value().has, ElementsAre("probes"));
    for (const std::string& bad :
         {std::string(), std::string("0\n"), bytes.substr(0, bytes.size() / 2)}) {
        const auto refused = read_kernel_types(bad);
        ASSERT_FALSE(refused) << bad.size();
        EXPECT_EQ(refused.error().code, Errc::malformed);
    }
}

} // namespace
} // namespace cgtide::damon
