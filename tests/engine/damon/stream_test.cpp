#include "engine/damon/btf.hpp"
#include "engine/damon/libbpf_log.hpp"
#include "engine/damon/stream.hpp"

#include <memory>
#include <optional>
#include <string>
#include <thread>

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <gmock/gmock.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace cgtide::damon {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Stream, RefusesSizesThatAreNoRing) {
    for (const std::uint32_t bytes : {0U, 2048U, 4095U, 12'288U}) {
        const auto regions = Stream::open({.region_bytes = bytes});
        ASSERT_FALSE(regions);
        EXPECT_EQ(regions.error().code, Errc::out_of_range);
        const auto changes = Stream::open({.change_bytes = bytes});
        ASSERT_FALSE(changes);
        EXPECT_EQ(changes.error().code, Errc::out_of_range);
    }
}

bool kernel_has_the_tracepoint() {
    const LibbpfLog log;
    btf* types = btf__load_vmlinux_btf();
    const bool has = types != nullptr && aggregated_form(*types).has_value();
    btf__free(types);
    return has;
}

/// Opens a stream on a thread that has given up all capabilities.
std::optional<Error> open_without_privileges() {
    std::optional<Error> error;
    std::thread([&error] {
        __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
        const __user_cap_data_struct none[2]{};
        if (::syscall(SYS_capset, &header, none) != 0) {
            error = Error{std::error_code(errno, std::generic_category()), "capset", ""};
            return;
        }
        if (auto stream = Stream::open(); !stream) {
            error = std::move(stream.error());
        }
    }).join();
    return error;
}

TEST(Stream, IsDeniedWithoutPrivileges) {
    if (!kernel_has_the_tracepoint()) {
        GTEST_SKIP() << "this kernel has no BTF or no tracepoint damon_aggregated";
    }
    const auto error = open_without_privileges();
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code, Errc::denied) << error->message();
    EXPECT_THAT(error->detail, HasSubstr("CAP_BPF"));
}

TEST(LibbpfLog, KeepsTheWordsInOneLine) {
    const LibbpfLog log;
    EXPECT_EQ(log.text(), "");
    const std::string garbage(64, 'x');
    ASSERT_EQ(bpf_object__open_mem(garbage.data(), garbage.size(), nullptr), nullptr);
    EXPECT_THAT(log.text(), HasSubstr("libbpf: "));
    EXPECT_THAT(log.text(), Not(HasSubstr("\n")));
    EXPECT_LE(log.text().size(), LibbpfLog::kMaxText);
}

TEST(LibbpfLog, BoundsTheWords) {
    const LibbpfLog log;
    const std::string garbage(64, 'x');
    for (int i = 0; i < 200; ++i) {
        ASSERT_EQ(bpf_object__open_mem(garbage.data(), garbage.size(), nullptr), nullptr);
    }
    EXPECT_GT(log.text().size(), LibbpfLog::kMaxText / 2);
    EXPECT_LE(log.text().size(), 2 * LibbpfLog::kMaxText);
}

TEST(LibbpfLog, IsSilentWhereNobodyKeepsTheWords) {
    { const LibbpfLog log; }
    testing::internal::CaptureStderr();
    const std::string garbage(64, 'x');
    ASSERT_EQ(bpf_object__open_mem(garbage.data(), garbage.size(), nullptr), nullptr);
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

} // namespace
} // namespace cgtide::damon
