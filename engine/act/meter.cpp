#include "engine/act/meter.hpp"

#include "cgroup/parse/flat.hpp"

#include <cerrno>
#include <ctime>

namespace cgtide::act {

namespace {

Microseconds thread_cpu() {
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return std::chrono::duration_cast<Microseconds>(std::chrono::seconds(now.tv_sec) +
                                                    std::chrono::nanoseconds(now.tv_nsec));
}

Result<Bytes> usage_of(const Dir& group) {
    auto text = group.read("memory.current");
    if (!text) {
        return tl::unexpected(text.error());
    }
    return cgroup::parse_amount(*text);
}

} // namespace

Meter::Meter(const Dir& group, const model::Decision& decision)
    : group_(group), start_(std::chrono::steady_clock::now()), cpu_start_(thread_cpu()) {
    outcome_.app = decision.app;
    outcome_.id = decision.id;
    outcome_.asked = decision.ask;
    outcome_.actuator = decision.actuator;
    outcome_.proven = decision.proven.has_value();
    if (const auto before = usage_of(group)) {
        before_ = *before;
    } else {
        fail_with(before.error());
    }
}

Result<Bytes> Meter::fallen() const {
    return usage_of(group_).map([this](Bytes now) { return before_ - now; });
}

void Meter::fail_with(const Error& error) {
    failed_ = true;
    end_with(error);
}

void Meter::end_with(const Error& error) {
    outcome_.end = is_gone(error) ? model::OutcomeEnd::gone : model::OutcomeEnd::failed;
    outcome_.error = 0;
    if (outcome_.end == model::OutcomeEnd::failed) {
        outcome_.error =
            error.code.category() == std::generic_category() ? error.code.value() : EIO;
    }
}

model::Outcome Meter::finish() {
    if (!failed_) {
        outcome_.taken = fallen().value_or(Bytes{});
    }
    outcome_.at = std::chrono::steady_clock::now();
    outcome_.wall = std::chrono::duration_cast<Microseconds>(outcome_.at - start_);
    outcome_.cpu = thread_cpu() - cpu_start_;
    return outcome_;
}

} // namespace cgtide::act
