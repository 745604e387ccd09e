// cgtide-layout: processes whose memory is laid out as told, and who know when they used it.

#include "tests/vm/layout/plan.hpp"
#include "tests/vm/layout/segment.hpp"
#include "tests/vm/layout/truth.hpp"
#include "tests/vm/workload/memory.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <vector>

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace cgtide::layout {
namespace {

volatile std::sig_atomic_t stopped = 0;

void stop(int /*signal*/) {
    stopped = 1;
}

/// Reads CLOCK_MONOTONIC.
Nanoseconds monotonic() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return std::chrono::seconds(now.tv_sec) + Nanoseconds(now.tv_nsec);
}

void sleep_until(Nanoseconds time) {
    const Nanoseconds left = time - monotonic();
    if (left.count() > 0) {
        const auto whole = std::chrono::duration_cast<std::chrono::seconds>(left);
        const timespec request{whole.count(), (left - whole).count()};
        ::nanosleep(&request, nullptr); // a signal ends it early
    }
}

Result<void> write_line(const UniqueFd& report, std::string_view line) {
    while (!line.empty()) {
        const auto written = ::write(report.get(), line.data(), line.size());
        if (written < 0 && errno != EINTR) {
            return fail_errno(errno, "write", "report");
        }
        line.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(written, 0)));
    }
    return {};
}

/// One process's segments; `first` is the number of its first one.
class Process {
public:
    Process(const std::vector<Spec>& specs, std::size_t first, const TruthTable& truths)
        : specs_(specs), first_(first), truths_(truths), due_(specs.size()) {}

    /// `inherited` are the first process's.
    Result<void> fill(const std::vector<Segment>& inherited) {
        for (std::size_t i = 0; i < specs_.size(); ++i) {
            if (specs_[i].kind == Kind::shared) {
                segments_.push_back(Segment::inherited(inherited[specs_[i].of]));
                continue;
            }
            auto segment = Segment::make(specs_[i]);
            if (!segment) {
                return tl::unexpected(segment.error());
            }
            segments_.push_back(std::move(*segment));
            truths_[first_ + i].filled_ns = monotonic().count();
            truths_[first_ + i].used_ns = monotonic().count();
        }
        for (std::size_t i = 0; i < specs_.size(); ++i) {
            if (specs_[i].kind == Kind::swapped) {
                if (auto out = segments_[i].push_out(); !out) {
                    return out;
                }
            }
        }
        return count();
    }

    /// Counts what is in memory.
    Result<void> count() const {
        const auto pagemap = workload::Pagemap::open_own();
        if (!pagemap) {
            return tl::unexpected(pagemap.error());
        }
        for (std::size_t i = 0; i < segments_.size(); ++i) {
            if (auto counted = segments_[i].count(*pagemap, truths_[first_ + i]); !counted) {
                return counted;
            }
        }
        return {};
    }

    /// Uses what is due. \returns when something is due again.
    Result<Nanoseconds> work(Nanoseconds began) {
        Nanoseconds next = Nanoseconds::max();
        for (std::size_t i = 0; i < segments_.size(); ++i) {
            const bool now_in_use = in_use(specs_[i].use, began, monotonic());
            if (now_in_use && monotonic() >= due_[i]) {
                if (auto used = segments_[i].use(); !used) {
                    return tl::unexpected(used.error());
                }
                truths_[first_ + i].used_ns = monotonic().count();
            }
            if (!now_in_use || monotonic() >= due_[i]) {
                due_[i] = next_use(specs_[i], began, monotonic());
            }
            next = std::min(next, due_[i]);
        }
        return next;
    }

    const std::vector<Segment>& segments() const { return segments_; }

private:
    const std::vector<Spec>& specs_;
    std::size_t first_;
    const TruthTable& truths_;
    std::vector<Segment> segments_;
    std::vector<Nanoseconds> due_; ///< by segment
};

/// Works until SIGTERM; `tell` is called after each count.
template <class Tell>
Result<void> run(Process& process, Microseconds sample, Tell tell) {
    const Nanoseconds began = monotonic();
    Nanoseconds next_sample = began;
    while (stopped == 0) {
        const auto next = process.work(began);
        if (!next) {
            return tl::unexpected(next.error());
        }
        if (monotonic() >= next_sample) {
            auto done = process.count().and_then(tell);
            if (!done) {
                return done;
            }
            next_sample = std::max<Nanoseconds>(next_sample + sample, monotonic());
        }
        sleep_until(std::min(*next, next_sample));
    }
    return {};
}

int failed(const Error& error) {
    std::fprintf(stderr, "cgtide-layout: %s\n", error.message().c_str());
    return 1;
}

/// A child: says in `ready` that its memory is filled.
int be_child(Process process, const std::vector<Segment>& inherited, const Plan& plan, int ready) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (const auto filled = process.fill(inherited); !filled) {
        return failed(filled.error());
    }
    if (::write(ready, "", 1) != 1) {
        return 1;
    }
    ::close(ready);
    const auto ran = run(process, plan.sample, [] { return Result<void>(); });
    return ran ? 0 : failed(ran.error());
}

/// Waits until all children have said so.
Result<void> await(int ready, std::size_t children) {
    for (std::size_t i = 0; i < children;) {
        char byte = 0;
        const auto got = ::read(ready, &byte, 1);
        if (got == 0 || (got < 0 && errno != EINTR)) {
            return fail(Errc::gone, "a child", "ended before its memory was filled");
        }
        i += got > 0 ? 1 : 0;
    }
    return {};
}

std::vector<Spec> all_specs(const Plan& plan) {
    std::vector<Spec> specs;
    for (const auto& process : plan.processes) {
        specs.insert(specs.end(), process.begin(), process.end());
    }
    return specs;
}

Result<int> lay_out(const Plan& plan) {
    const UniqueFd report(
        plan.report == "-"
            ? ::dup(STDOUT_FILENO)
            : ::open(plan.report.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
    if (!report) {
        return fail_errno(errno, "open", plan.report);
    }
    const auto specs = all_specs(plan);
    const auto truths = TruthTable::make(specs.size());
    if (!truths) {
        return tl::unexpected(truths.error());
    }
    Process own(plan.processes.front(), 0, *truths);
    if (auto filled = own.fill({}); !filled) {
        return tl::unexpected(filled.error());
    }
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        return fail_errno(errno, "pipe2", "");
    }
    const UniqueFd ready(ends[0]);
    UniqueFd children(ends[1]);
    std::size_t first = plan.processes.front().size();
    for (std::size_t i = 1; i < plan.processes.size(); ++i) {
        const pid_t child = ::fork();
        if (child < 0) {
            return fail_errno(errno, "fork", "");
        }
        if (child == 0) {
            ::_exit(be_child(Process(plan.processes[i], first, *truths), own.segments(), plan,
                             children.get()));
        }
        first += plan.processes[i].size();
    }
    children.reset();
    const auto tell = [&](std::string_view event) {
        return write_line(report, format_line(event, monotonic(), specs, *truths));
    };
    return await(ready.get(), plan.processes.size() - 1)
        .and_then([&] { return tell("populated"); })
        .and_then([&] { return run(own, plan.sample, [&] { return tell("sample"); }); })
        .map([] { return 0; });
}

} // namespace
} // namespace cgtide::layout

int main(int argc, char** argv) {
    using namespace cgtide::layout;
    const std::span arguments(argv, static_cast<std::size_t>(argc));
    const auto plan = parse_plan(arguments.subspan(argc > 0 ? 1 : 0));
    if (!plan) {
        std::fprintf(stderr, "cgtide-layout: %s\ntry cgtide-layout --help\n",
                     plan.error().message().c_str());
        return 2;
    }
    if (plan->help) {
        std::fputs(usage().data(), stdout);
        return 0;
    }
    struct sigaction action {};
    action.sa_handler = stop;
    ::sigaction(SIGTERM, &action, nullptr);
    ::sigaction(SIGINT, &action, nullptr);
    const auto status = lay_out(*plan);
    return status ? *status : failed(status.error());
}
