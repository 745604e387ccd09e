// Containers without a runtime: each a cgroup of its own with one sleeping process, and registered.
//
// usage: monitor_cost_fleet COUNT MIB CGROUP RUN_DIR
//        monitor_cost_fleet --sleep MIB READY_FD       (what the processes are)
// Prints the processes' pids, one a line, once the memory of all is there; SIGTERM ends and removes
// all.

#include "cgroup/membership.hpp"
#include "oci/record.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using cgtide::Dir;
using cgtide::Result;

constexpr const char* kCgroups = "/sys/fs/cgroup";

template <class T>
T want(Result<T> result) {
    if (!result) {
        throw std::runtime_error(result.error().message());
    }
    return std::move(*result);
}

void want(const Result<void>& result) {
    if (!result) {
        throw std::runtime_error(result.error().message());
    }
}

/// Holds the memory, says so by a byte, and sleeps until it is ended.
int sleep_with(std::size_t mib, int ready) {
    const std::size_t bytes = mib << 20U;
    void* memory =
        ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        std::perror("mmap");
        return EXIT_FAILURE;
    }
    std::memset(memory, 1, bytes);
    if (::write(ready, "r", 1) != 1) {
        return EXIT_FAILURE;
    }
    ::close(ready);
    for (;;) {
        ::pause();
    }
}

class Fleet {
public:
    Fleet(std::string cgroup, const std::string& run_dir)
        : cgroup_(std::move(cgroup)), proc_(want(Dir::open("/proc"))) {
        make(run_dir);
        make(run_dir + "/containers");
        containers_ = want(Dir::open(run_dir + "/containers"));
        make(kCgroups + cgroup_);
        want(want(Dir::open(kCgroups + cgroup_)).write("cgroup.subtree_control", "+memory"));
        boot_id_ = want(proc_.read("sys/kernel/random/boot_id"));
        boot_id_.erase(boot_id_.find_last_not_of('\n') + 1);
    }
    Fleet(const Fleet&) = delete;
    Fleet& operator=(const Fleet&) = delete;

    ~Fleet() {
        for (const pid_t pid : pids_) {
            ::kill(pid, SIGKILL);
            ::waitpid(pid, nullptr, 0);
        }
        for (std::size_t i = 0; i < pids_.size(); ++i) {
            ::rmdir((kCgroups + path(i)).c_str());
        }
        ::rmdir((kCgroups + cgroup_).c_str());
    }

    void start(std::size_t count, const std::string& mib) {
        int ready[2]; // NOLINT
        if (::pipe(ready) != 0) {
            throw std::runtime_error("pipe");
        }
        for (std::size_t i = 0; i < count; ++i) {
            make(kCgroups + path(i));
            pids_.push_back(spawn(path(i), mib, ready[1]));
        }
        ::close(ready[1]);
        for (std::size_t i = 0; i < count; ++i) {
            char byte = 0;
            if (::read(ready[0], &byte, 1) != 1) {
                throw std::runtime_error("a process of the fleet ended");
            }
        }
        ::close(ready[0]);
        for (std::size_t i = 0; i < count; ++i) {
            enrol(i);
        }
    }

    const std::vector<pid_t>& pids() const { return pids_; }

private:
    static void make(const std::string& folder) {
        if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
            throw std::runtime_error("mkdir " + folder + ": " + std::strerror(errno));
        }
    }

    std::string path(std::size_t i) const { return cgroup_ + "/c" + std::to_string(i); }

    static pid_t spawn(const std::string& path, const std::string& mib, int ready) {
        const pid_t pid = ::fork();
        if (pid == 0) {
            const auto group = Dir::open(kCgroups + path);
            if (group && group->write("cgroup.procs", "0")) {
                const std::string fd = std::to_string(ready);
                ::execl("/proc/self/exe", "fleet", "--sleep", mib.c_str(), fd.c_str(), nullptr);
            }
            ::_exit(EXIT_FAILURE);
        }
        return pid;
    }

    void enrol(std::size_t i) const {
        cgtide::oci::Record record;
        record.id = "c" + std::to_string(i);
        record.bundle = "/bundles/" + record.id;
        record.pid = pids_[i];
        record.pid_start = want(cgtide::cgroup::pid_start_time(proc_, record.pid));
        record.cgroup_path = path(i);
        record.cgroup = want(want(Dir::open(kCgroups + path(i))).id());
        record.boot_id = boot_id_;
        record.annotations = {{"cgtide.io/apps", "stat"}};
        want(containers_.replace(cgtide::oci::record_key(record.bundle, record.id) + ".json",
                                 cgtide::oci::encode_record(record)));
    }

    std::string cgroup_;
    std::string boot_id_;
    Dir proc_;
    Dir containers_;
    std::vector<pid_t> pids_;
};

} // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    if (arguments.size() == 3 && arguments[0] == "--sleep") {
        return sleep_with(std::stoul(arguments[1]), std::stoi(arguments[2]));
    }
    if (arguments.size() != 4) {
        std::fprintf(stderr, "usage: monitor_cost_fleet COUNT MIB CGROUP RUN_DIR\n");
        return 2;
    }
    // Blocked before there is anything to remove, so that none is left.
    sigset_t ends;
    ::sigemptyset(&ends);
    ::sigaddset(&ends, SIGTERM);
    ::sigprocmask(SIG_BLOCK, &ends, nullptr);
    try {
        Fleet fleet(arguments[2], arguments[3]);
        fleet.start(std::stoul(arguments[0]), arguments[1]);
        for (const pid_t pid : fleet.pids()) {
            std::printf("%d\n", pid);
        }
        std::fflush(stdout);
        int signal = 0;
        ::sigwait(&ends, &signal);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "monitor_cost_fleet: %s\n", error.what());
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
