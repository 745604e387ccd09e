#include "tests/bench/hook_latency/stage.hpp"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include <sched.h>

namespace {

using cgtide::bench::Stage;

constexpr int kRuns = 200;
constexpr int kWarmUp = 10;

struct Program {
    const char* name;
    std::vector<std::string> command;
    std::vector<double> times{}; // microseconds
};

double quantile(std::vector<double> times, double q) {
    std::sort(times.begin(), times.end());
    return times[static_cast<std::size_t>(q * static_cast<double>(times.size() - 1))];
}

struct Ratio {
    double median;
    double p10;
};

Ratio ratio(const Program& program, const Program& reference) {
    return {quantile(program.times, 0.5) / quantile(reference.times, 0.5),
            quantile(program.times, 0.1) / quantile(reference.times, 0.1)};
}

/// Everything on one processor: where the scheduler would put a child is no matter of the hook's.
void pin() {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<std::size_t>(::sched_getcpu()), &set);
    ::sched_setaffinity(0, sizeof set, &set);
}

void measure(std::vector<Program>& programs, Program& hung, const std::string& state) {
    for (int run = -kWarmUp; run < kRuns; ++run) {
        for (std::size_t i = 0; i < programs.size(); ++i) {
            // Each round begins with another program, so that none is always the one after a wait.
            Program& program =
                programs[(i + static_cast<std::size_t>(run + kWarmUp)) % programs.size()];
            const double took = cgtide::bench::run_once(program.command, state);
            if (run >= 0) {
                program.times.push_back(took);
            }
        }
    }
    // Apart from the others: whatever runs while it waits would leave them cold caches.
    for (int run = 0; run < kRuns; ++run) {
        hung.times.push_back(cgtide::bench::run_once(hung.command, state));
    }
}

void print(const Program& program) {
    std::printf("%-24s p10 %8.1f us  median %8.1f us  p90 %8.1f us  max %8.1f us\n", program.name,
                quantile(program.times, 0.1), quantile(program.times, 0.5),
                quantile(program.times, 0.9), quantile(program.times, 1.0));
}

void bench(const std::string& here) {
    pin();
    const Stage stage;
    const auto hook_at = [&](const std::string& run_dir) {
        return std::vector<std::string>{here + "/cgtide-hook", "--root", stage.root(), "--run-dir",
                                        run_dir};
    };
    const auto reference_at = [&](const std::string& run_dir) {
        return std::vector<std::string>{here + "/hook_latency_reference", stage.root(), "4242",
                                        "/web/a1", run_dir};
    };
    std::vector<Program> programs{{"hook, engine answers", hook_at(stage.answering())},
                                  {"reference, engine answers", reference_at(stage.answering())},
                                  {"hook, no engine", hook_at(stage.absent())},
                                  {"reference, no engine", reference_at(stage.absent())},
                                  {"reads its input only", {here + "/hook_latency_reader"}}};
    Program hung{"hook, engine hung", hook_at(stage.hung())};
    const int calls = cgtide::bench::count_calls(programs[0].command, Stage::state());
    const int reference_calls = cgtide::bench::count_calls(programs[1].command, Stage::state());
    measure(programs, hung, Stage::state());
    for (const Program& program : programs) {
        print(program);
    }
    print(hung);
    std::printf("system calls: %d, reference %d\n", calls, reference_calls);
    const Ratio answering = ratio(programs[0], programs[1]);
    const Ratio absent = ratio(programs[2], programs[3]);
    const Ratio reader = ratio(programs[0], programs[4]);
    std::printf("{\"runs\": %d, \"ratio_answering\": %.3f, \"ratio_answering_p10\": %.3f, "
                "\"ratio_absent\": %.3f, \"ratio_absent_p10\": %.3f, \"ratio_reader_only\": %.3f, "
                "\"ratio_reader_only_p10\": %.3f, \"syscalls\": %d, \"syscalls_reference\": %d, "
                "\"hung_ms\": %.1f}\n",
                kRuns, answering.median, answering.p10, absent.median, absent.p10, reader.median,
                reader.p10, calls, reference_calls, quantile(hung.times, 1.0) / 1000.0);
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: hook_latency FOLDER_OF_PROGRAMS\n");
        return 2;
    }
    try {
        bench(argv[1]);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "hook_latency: %s\n", error.what());
        return 1;
    }
    return 0;
}
