// What an engine costs whose containers do nothing: CPU, resident memory and file reads, by the
// number of containers.
//
// usage: engine_idle CGTIDED SECONDS
// Every container runs stat and reclaim under the default profile (a period of 6 s); journals are
// filled first by a shorter period, whose settings are then replaced.

#include "cgroup/base/text.hpp"
#include "oci/record.hpp"
#include "tests/support/fake_tree.hpp"

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using cgtide::test::FakeTree;
using cgtide::test::TempDir;

constexpr int kPid = 4242;
constexpr double kPeriod = 6.0;

struct Cost {
    double cpu_percent = 0.0;
    double rss_mib = 0.0;
    double reads_per_container_period = 0.0;
};

/// A program that is ended by SIGTERM when this goes.
class Child {
public:
    explicit Child(std::vector<std::string> arguments) {
        std::vector<char*> argv;
        for (std::string& argument : arguments) {
            argv.push_back(argument.data());
        }
        argv.push_back(nullptr);
        posix_spawn_file_actions_t quiet;
        ::posix_spawn_file_actions_init(&quiet);
        ::posix_spawn_file_actions_addopen(&quiet, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
        const int error = ::posix_spawn(&pid_, argv[0], &quiet, nullptr, argv.data(), environ);
        ::posix_spawn_file_actions_destroy(&quiet);
        if (error != 0) {
            std::perror(argv[0]);
            std::exit(EXIT_FAILURE);
        }
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() {
        ::kill(pid_, SIGTERM);
        ::waitpid(pid_, nullptr, 0);
    }
    pid_t pid() const { return pid_; }

private:
    pid_t pid_ = 0;
};

std::string proc_text(pid_t pid, const std::string& file) {
    const auto dir = cgtide::Dir::open("/proc/" + std::to_string(pid));
    return dir ? dir->read(file).value_or("") : "";
}

/// User and system time in seconds.
double cpu_seconds(pid_t pid) {
    const std::string text = proc_text(pid, "stat");
    const auto fields = cgtide::split(std::string_view(text).substr(text.rfind(')') + 2), ' ');
    const auto ticks =
        cgtide::to_u64(fields.at(11)).value() + cgtide::to_u64(fields.at(12)).value();
    return static_cast<double>(ticks) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

/// One `Key: number` of a /proc file.
double number_of(const std::string& text, std::string_view key) {
    std::string_view rest = text;
    while (const auto line = cgtide::next_line(rest)) {
        if (line->starts_with(key)) {
            const std::string_view value = line->substr(key.size());
            const auto first = value.find_first_of("0123456789");
            const auto last = value.find_first_not_of("0123456789", first);
            return static_cast<double>(cgtide::to_u64(value.substr(first, last - first)).value());
        }
    }
    return 0.0;
}

void register_containers(FakeTree& tree, const TempDir& run, int count) {
    run.make("containers");
    for (int i = 0; i < count; ++i) {
        const std::string id = "c" + std::to_string(i);
        cgtide::oci::Record record;
        record.id = id;
        record.bundle = "/bundles/" + id;
        record.pid = kPid;
        record.cgroup_path = "/pods/" + id;
        record.cgroup = tree.add_group(record.cgroup_path);
        record.boot_id = tree.dir().read("proc/sys/kernel/random/boot_id");
        record.boot_id.erase(record.boot_id.find_last_not_of('\n') + 1);
        record.annotations = {{"cgtide.io/apps", "stat,reclaim"}, {"cgtide.io/reclaim.idle", "1s"}};
        run.write("containers/" + cgtide::oci::record_key(record.bundle, record.id) + ".json",
                  cgtide::oci::encode_record(record));
    }
}

/// Pressure that comes and goes makes every period's decision differ from the one before, so that
/// none is folded into the entry before it.
void fill_journals(FakeTree& tree, int count) {
    constexpr int kPeriods = 100;
    unsigned long stall = 0;
    for (int period = 0; period < kPeriods && count > 0; ++period) {
        stall += period % 2 == 0 ? 0 : 1'000'000;
        const std::string line = "avg10=0.00 avg60=0.00 avg300=0.00 total=";
        const std::string text = "some " + line + std::to_string(stall) + "\nfull " + line + "0\n";
        for (int i = 0; i < count; ++i) {
            tree.set("/pods/c" + std::to_string(i), "memory.pressure", text);
        }
        std::this_thread::sleep_for(std::chrono::seconds(1));
    }
}

Cost measure(const std::string& program, int count, int seconds) {
    FakeTree tree;
    const TempDir run;
    tree.add_process(kPid, "/");
    register_containers(tree, run, count);
    run.write("cgtide.toml", "[profile.default]\nperiod = \"1s\"\n");
    const Child engine({program, "--root", tree.path(), "--run-dir", run.path(), "--config",
                        run.path() + "/cgtide.toml"});
    std::this_thread::sleep_for(std::chrono::seconds(2));
    fill_journals(tree, count);
    run.write("cgtide.toml", "");
    ::kill(engine.pid(), SIGHUP);
    std::this_thread::sleep_for(std::chrono::seconds(2));
    const double cpu = cpu_seconds(engine.pid());
    const double reads = number_of(proc_text(engine.pid(), "io"), "syscr:");
    std::this_thread::sleep_for(std::chrono::seconds(seconds));
    Cost cost;
    cost.cpu_percent = (cpu_seconds(engine.pid()) - cpu) / seconds * 100.0;
    cost.rss_mib = number_of(proc_text(engine.pid(), "status"), "VmRSS:") / 1024.0;
    if (count > 0) {
        cost.reads_per_container_period =
            (number_of(proc_text(engine.pid(), "io"), "syscr:") - reads) / count /
            (seconds / kPeriod);
    }
    std::fprintf(stderr,
                 "%4d containers: %.2f %% of a core, %.1f MiB, %.1f reads a container and period\n",
                 count, cost.cpu_percent, cost.rss_mib, cost.reads_per_container_period);
    return cost;
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: engine_idle CGTIDED SECONDS\n");
        return 2;
    }
    const int seconds = std::atoi(argv[2]);
    const Cost none = measure(argv[1], 0, seconds);
    const Cost hundred = measure(argv[1], 100, seconds);
    const Cost thousand = measure(argv[1], 1000, seconds);
    std::printf(
        "{\"cpu_percent_0\": %.3f, \"cpu_percent_100\": %.3f, \"cpu_percent_1000\": %.3f, "
        "\"rss_mib_0\": %.1f, \"rss_mib_1000\": %.1f, \"reads_per_container_period\": %.2f}\n",
        none.cpu_percent, hundred.cpu_percent, thousand.cpu_percent, none.rss_mib, thousand.rss_mib,
        thousand.reads_per_container_period);
    return 0;
}
