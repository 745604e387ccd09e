// The engine's hot paths: what one container costs each period, without the kernel's part.

#include "cgroup/parse/memory_stat.hpp"
#include "cgroup/parse/pressure.hpp"
#include "engine/apps/reclaim.hpp"
#include "oci/record.hpp"
#include "tests/engine/apps/scene.hpp"

#include <benchmark/benchmark.h>

namespace {

using namespace cgtide;

/// memory.stat of Linux 7.3, shortened to the keys that are read and as many that are skipped.
constexpr std::string_view kMemoryStat =
    "anon 100663296\nfile 33554432\nkernel 1048576\nkernel_stack 65536\npagetables 524288\n"
    "sec_pagetables 0\npercpu 1024\nsock 0\nvmalloc 0\nshmem 0\nzswap 0\nzswapped 0\n"
    "file_mapped 1048576\nfile_dirty 0\nfile_writeback 0\nswapcached 0\nanon_thp 0\nfile_thp 0\n"
    "shmem_thp 0\ninactive_anon 50331648\nactive_anon 50331648\ninactive_file 16777216\n"
    "active_file 16777216\nunevictable 0\nslab_reclaimable 262144\nslab_unreclaimable 131072\n"
    "slab 393216\nworkingset_refault_anon 12\nworkingset_refault_file 34\n"
    "workingset_activate_anon 5\nworkingset_activate_file 6\nworkingset_restore_anon 1\n"
    "workingset_restore_file 2\nworkingset_nodereclaim 0\npgscan 4000\npgsteal 3000\n"
    "pgfault 50000\npgmajfault 20\n";

constexpr std::string_view kPressure = "some avg10=0.12 avg60=0.34 avg300=0.05 total=123456\n"
                                       "full avg10=0.00 avg60=0.00 avg300=0.00 total=2345\n";

void parse_memory_stat(benchmark::State& state) {
    for (auto _ : state) {
        benchmark::DoNotOptimize(cgroup::parse_memory_stat(kMemoryStat));
    }
}
BENCHMARK(parse_memory_stat);

void parse_pressure(benchmark::State& state) {
    for (auto _ : state) {
        benchmark::DoNotOptimize(cgroup::parse_pressure(kPressure));
    }
}
BENCHMARK(parse_pressure);

void step_reclaim(benchmark::State& state) {
    apps::test::Scene scene;
    for (auto _ : state) {
        benchmark::DoNotOptimize(scene.step());
    }
}
BENCHMARK(step_reclaim);

void decode_record(benchmark::State& state) {
    oci::Record record;
    record.id = "a1";
    record.bundle = "/run/bundles/a1";
    record.cgroup_path = "/web/a1";
    record.annotations = {{"cgtide.io/apps", "stat,reclaim"}, {"cgtide.io/reclaim.idle", "10s"}};
    const std::string text = oci::encode_record(record);
    for (auto _ : state) {
        benchmark::DoNotOptimize(oci::decode_record(text));
    }
}
BENCHMARK(decode_record);

} // namespace

BENCHMARK_MAIN();
