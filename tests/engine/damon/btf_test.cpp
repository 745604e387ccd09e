#include "engine/damon/btf.hpp"

#include <memory>
#include <string>
#include <vector>

#include <bpf/btf.h>
#include <gmock/gmock.h>

namespace cgtide::damon {
namespace {

using ::testing::HasSubstr;

/// Types of a kernel, made by hand.
class BtfTest : public ::testing::Test {
protected:
    BtfTest() : types_(btf__new_empty()) {
        unsigned_ = btf__add_int(types_.get(), "unsigned int", 4, 0);
        long_ = btf__add_int(types_.get(), "unsigned long", 8, 0);
        void_ = btf__add_ptr(types_.get(), 0);
        region_ = pointer_to("damon_region");
        target_ = pointer_to("damon_target");
    }

    int pointer_to(const char* name) {
        return btf__add_ptr(types_.get(), btf__add_struct(types_.get(), name, 0));
    }

    /// Adds the tracepoint with these arguments behind its own.
    void add_tracepoint(const std::vector<int>& arguments) {
        btf* types = types_.get();
        const int proto = btf__add_func_proto(types, 0);
        btf__add_func_param(types, nullptr, void_);
        for (const int type : arguments) {
            btf__add_func_param(types, nullptr, type);
        }
        const int pointer = btf__add_ptr(types, proto);
        btf__add_typedef(types, "btf_trace_damon_aggregated", pointer);
    }

    Result<AggregatedForm> form() const { return aggregated_form(*types_); }

    struct Free {
        void operator()(btf* types) const { btf__free(types); }
    };
    std::unique_ptr<btf, Free> types_;
    int unsigned_ = 0;
    int long_ = 0;
    int void_ = 0;
    int region_ = 0;
    int target_ = 0;
};

TEST_F(BtfTest, KnowsTodaysArguments) {
    add_tracepoint({unsigned_, region_, unsigned_});
    EXPECT_EQ(form().value(), AggregatedForm::index_region_count);
}

TEST_F(BtfTest, KnowsTheArgumentsOfOlderKernels) {
    add_tracepoint({target_, unsigned_, region_, unsigned_});
    EXPECT_EQ(form().value(), AggregatedForm::target_index_region_count);
}

TEST_F(BtfTest, LooksThroughTypedefsAndQualifiers) {
    const int number = btf__add_typedef(types_.get(), "u32", unsigned_);
    const int region = btf__add_const(types_.get(), region_);
    add_tracepoint({number, region, number});
    EXPECT_EQ(form().value(), AggregatedForm::index_region_count);
}

TEST_F(BtfTest, RefusesAKernelWithoutTheTracepoint) {
    const auto result = form();
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Errc::unsupported);
    EXPECT_THAT(result.error().message(), HasSubstr("damon_aggregated"));
}

TEST_F(BtfTest, RefusesArgumentsThatItDoesNotKnowAndTellsThem) {
    add_tracepoint({unsigned_, long_, region_, unsigned_});
    const auto result = form();
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Errc::unsupported);
    EXPECT_THAT(result.error().detail, HasSubstr("u4, u8, damon_region *, u4"));
}

TEST_F(BtfTest, RefusesArgumentsInAnotherOrder) {
    add_tracepoint({unsigned_, unsigned_, region_});
    EXPECT_FALSE(form());
}

TEST_F(BtfTest, RefusesATracepointWithoutArguments) {
    add_tracepoint({});
    EXPECT_FALSE(form());
}

TEST_F(BtfTest, RefusesATypedefOfSomethingElse) {
    btf__add_typedef(types_.get(), "btf_trace_damon_aggregated", unsigned_);
    EXPECT_FALSE(form());
}

} // namespace
} // namespace cgtide::damon
