// cgtide-workload: a program whose hot and cold memory is known, because it counts them itself.

#include "tests/vm/workload/memory.hpp"
#include "tests/vm/workload/options.hpp"
#include "tests/vm/workload/places.hpp"
#include "tests/vm/workload/report.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace cgtide::workload {
namespace {

volatile std::sig_atomic_t stopped = 0;
volatile std::sig_atomic_t refill_asked = 0;

void take_signal(int signal) {
    (signal == SIGUSR1 ? refill_asked : stopped) = 1;
}

/// Reads CLOCK_MONOTONIC.
Nanoseconds monotonic() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return std::chrono::seconds(now.tv_sec) + Nanoseconds(now.tv_nsec);
}

double in_seconds(const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

/// Sleeps once; a signal ends the sleep early.
void pause_for(Nanoseconds time) {
    const auto whole = std::chrono::duration_cast<std::chrono::seconds>(time);
    const timespec request{whole.count(), (time - whole).count()};
    ::nanosleep(&request, nullptr);
}

/// The four ranges of memory, and what the hot one grows by, which is filled when it is due.
struct Memory {
    Mapping hot;
    Mapping cold;
    Mapping file_hot;
    Mapping file_cold;
    std::vector<Mapping> growth;
};

Pages pages_of(const Options& options) {
    return options.small_pages ? Pages::small : Pages::any;
}

Result<void> reserve_growth(std::vector<Mapping>& growth, const Options& options) {
    for (const Bytes step : growth_steps(options)) {
        auto mapping = Mapping::untouched(step, pages_of(options));
        if (!mapping) {
            return tl::unexpected(mapping.error());
        }
        growth.push_back(std::move(*mapping));
    }
    return {};
}

/// Leaves the kernel alone where no place was asked for: it may know no nodes.
Result<void> prefer_node_if(const Options& options, std::optional<unsigned> node) {
    return options.hot_node || options.cold_node ? prefer_node(node) : Result<void>();
}

/// Fills the hot memory last, so that it is the youngest from the beginning.
Result<Memory> populate(const Options& options) {
    Memory memory;
    const auto put = [](Mapping& into) {
        return [&into](Mapping made) {
            into = std::move(made);
        };
    };
    const unsigned percent = options.random_percent;
    const Pages pages = pages_of(options);
    return prefer_node_if(options, options.cold_node)
        .and_then([&] { return Mapping::anonymous(options.cold, percent, pages); })
        .map(put(memory.cold))
        .and_then([&] { return prefer_node_if(options, std::nullopt); })
        .and_then([&] { return Mapping::file(options.file_cold, percent); })
        .map(put(memory.file_cold))
        .and_then([&] { return Mapping::file(options.file_hot, percent); })
        .map(put(memory.file_hot))
        .and_then([&] { return prefer_node_if(options, options.hot_node); })
        .and_then([&] { return Mapping::anonymous(options.hot, percent, pages); })
        .map(put(memory.hot))
        .and_then([&] { return prefer_node_if(options, std::nullopt); })
        .and_then([&] { return reserve_growth(memory.growth, options); })
        .map([&] { return std::move(memory); });
}

Result<UniqueFd> open_report(const std::string& path) {
    UniqueFd file(path == "-"
                      ? ::dup(STDOUT_FILENO)
                      : ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
    if (!file) {
        return fail_errno(errno, "open", path);
    }
    return file;
}

Result<void> write_line(const UniqueFd& report, std::string_view line) {
    while (!line.empty()) {
        const auto written = ::write(report.get(), line.data(), line.size());
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written < 0) {
            return fail_errno(errno, "write", "report");
        }
        line.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

/// The time since the work began in phases: in odd ones hot and cold memory have changed places.
class Phases {
public:
    explicit Phases(const Options& options) : each_(options.alternate), began_(monotonic()) {}

    std::uint64_t now() const {
        return each_.count() > 0 ? static_cast<std::uint64_t>(worked() / each_) : 0;
    }

    Nanoseconds worked() const { return monotonic() - began_; }

private:
    Nanoseconds each_;
    Nanoseconds began_;
};

const Mapping& hot_in(std::uint64_t phase, const Memory& memory) {
    return phase % 2 == 1 ? memory.cold : memory.hot;
}

const Mapping& cold_in(std::uint64_t phase, const Memory& memory) {
    return hot_in(phase + 1, memory);
}

/// What the work has come to.
struct Progress {
    std::uint64_t passes = 0;
    double pass_t = 0; ///< of the last of them: see Sample
    double pass_cpu_s = 0;
    std::size_t grown = 0; ///< steps of growth that are filled
};

/// Looks at this process without touching its memory; `places` is null where nodes are not told.
Result<Sample> take_sample(const Pagemap& pagemap, const Memory& memory, const Phases& phases,
                           const Progress& progress, Places* places) {
    Sample sample;
    sample.phase = phases.now();
    std::vector<std::pair<const Mapping*, Residency*>> ranges{
        {&hot_in(sample.phase, memory), &sample.hot},
        {&cold_in(sample.phase, memory), &sample.cold},
        {&memory.file_hot, &sample.file_hot},
        {&memory.file_cold, &sample.file_cold}};
    for (const Mapping& step : std::span(memory.growth).first(progress.grown)) {
        ranges.emplace_back(&step, &sample.hot);
    }
    for (const auto& [mapping, residency] : ranges) {
        const auto resident = pagemap.resident(mapping->bytes());
        if (!resident) {
            return tl::unexpected(resident.error());
        }
        residency->size = residency->size + Bytes{mapping->bytes().size()};
        residency->resident = residency->resident + *resident;
    }
    if (places != nullptr) {
        auto hot = places->look(hot_in(sample.phase, memory), monotonic());
        auto cold = places->look(cold_in(sample.phase, memory), monotonic());
        if (!hot || !cold) {
            return tl::unexpected(hot ? cold.error() : hot.error());
        }
        sample.nodes = {std::move(*hot), std::move(*cold), places->moved(), places->thrashed()};
    }
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    sample.t = std::chrono::duration<double>(monotonic()).count();
    sample.passes = progress.passes;
    sample.pass_t = progress.pass_t;
    sample.pass_cpu_s = progress.pass_cpu_s;
    sample.cpu_s = in_seconds(usage.ru_utime) + in_seconds(usage.ru_stime);
    sample.majflt = static_cast<std::uint64_t>(usage.ru_majflt);
    sample.minflt = static_cast<std::uint64_t>(usage.ru_minflt);
    return sample;
}

/// Touches the hot memory, pass after pass, on a thread of its own: samples are taken at any moment
/// of a pass, not just after one, when all of it is resident.
class Toucher {
public:
    Toucher(const Options& options, const Memory& memory, const Phases& phases)
        : thread_([this, &options, &memory, &phases](const std::stop_token& stop) {
              // The main thread waits for samples and takes the signals that end them.
              sigset_t all;
              ::sigfillset(&all);
              ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
              while (!stop.stop_requested()) {
                  grow(memory, options, steps_due(options, phases.worked()));
                  touch(hot_in(phases.now(), memory), options);
                  for (const Mapping& step : std::span(memory.growth).first(grown_)) {
                      touch(step, options);
                  }
                  memory.file_hot.read_each_page();
                  note_pass();
                  if (options.paced) {
                      pause_for(options.pause);
                  }
              }
          }) {}

    Progress progress() const {
        const std::lock_guard lock(mutex_);
        Progress progress = progress_;
        progress.grown = grown_;
        return progress;
    }

private:
    void note_pass() {
        timespec used{};
        ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
        const std::lock_guard lock(mutex_);
        ++progress_.passes;
        progress_.pass_t = std::chrono::duration<double>(monotonic()).count();
        progress_.pass_cpu_s =
            static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
    }

    /// Steps count when they are filled, so that what is not there yet is not told as out.
    void grow(const Memory& memory, const Options& options, std::size_t due) {
        for (; grown_ < due; ++grown_) {
            fill_pages(memory.growth[grown_].bytes(), options.random_percent);
        }
    }

    void touch(const Mapping& hot, const Options& options) {
        if (options.whole_pages) {
            checksum_ = hot.checksum();
        }
        hot.write_each_page(static_cast<std::byte>(progress_.passes)); // it alone changes them
    }

    mutable std::mutex mutex_;
    Progress progress_; ///< without `grown`
    std::atomic<std::size_t> grown_ = 0;
    std::atomic<std::uint64_t> checksum_ = 0; ///< kept, so that it is not optimised away
    std::jthread thread_;
};

/// Works until SIGTERM or the end of its time, reporting as it goes.
Result<void> work(const Options& options, const Pagemap& pagemap, Memory& memory,
                  const UniqueFd& report) {
    const Phases phases(options);
    Places places;
    const auto tell = [&](std::string_view event, const Progress& progress) {
        return take_sample(pagemap, memory, phases, progress,
                           options.tell_nodes ? &places : nullptr)
            .and_then([&](const Sample& sample) {
                return write_line(report, format_event(event, sample));
            });
    };

    auto told = tell("populated", {});
    const Toucher toucher(options, memory, phases);
    const Nanoseconds began = monotonic();
    const Nanoseconds end =
        options.run_for.count() == 0 ? Nanoseconds::max() : began + options.run_for;
    Nanoseconds next_sample = began + options.sample;
    while (told && stopped == 0 && monotonic() < end) {
        if (refill_asked != 0) {
            refill_asked = 0;
            told = memory.cold.refill(options.random_percent).and_then([&] {
                return tell("refilled", toucher.progress());
            });
            continue;
        }
        const Nanoseconds now = monotonic();
        if (now < next_sample) {
            pause_for(std::min(next_sample, end) - now);
            continue;
        }
        told = tell("sample", toucher.progress());
        // What took longer than an interval is missed and stays missed.
        next_sample = std::max<Nanoseconds>(next_sample + options.sample, now);
    }
    return told ? tell("sample", toucher.progress()) : told;
}

/// They end with their parent. Called before there are threads.
Result<void> fork_children(unsigned count) {
    for (; count > 0; --count) {
        const pid_t child = ::fork();
        if (child < 0) {
            return fail_errno(errno, "fork", "");
        }
        if (child == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            for (;;) {
                ::pause();
            }
        }
    }
    return {};
}

Result<void> run(const Options& options) {
    const auto report = open_report(options.report);
    if (!report) {
        return tl::unexpected(report.error());
    }
    const auto pagemap = Pagemap::open_own();
    if (!pagemap) {
        return tl::unexpected(pagemap.error());
    }
    auto memory = populate(options);
    if (!memory) {
        return tl::unexpected(memory.error());
    }
    return fork_children(options.children).and_then([&] {
        return work(options, *pagemap, *memory, *report);
    });
}

void handle_signals() {
    struct sigaction action {};
    action.sa_handler = take_signal;
    for (const int signal : {SIGTERM, SIGINT, SIGUSR1}) {
        ::sigaction(signal, &action, nullptr);
    }
}

} // namespace
} // namespace cgtide::workload

int main(int argc, char** argv) {
    using namespace cgtide::workload;
    const std::span arguments(argv, static_cast<std::size_t>(argc));
    const auto options = parse_options(arguments.subspan(argc > 0 ? 1 : 0));
    if (!options) {
        std::fprintf(stderr, "cgtide-workload: %s\ntry cgtide-workload --help\n",
                     options.error().message().c_str());
        return 2;
    }
    if (options->help) {
        std::fputs(usage().data(), stdout);
        return 0;
    }
    handle_signals();
    if (const auto ran = run(*options); !ran) {
        std::fprintf(stderr, "cgtide-workload: %s\n", ran.error().message().c_str());
        return 1;
    }
    return 0;
}
