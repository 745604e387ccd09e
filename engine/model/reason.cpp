#include "engine/model/reason.hpp"

#include "cgroup/base/units.hpp"

#include <algorithm>
#include <cmath>

namespace cgtide::model {

namespace {

constexpr std::array<ReasonText, 38> kReasons{{
    {ReasonCode::reclaimed, "reclaimed",
     "Bytes were asked for at the profile's pace: pressure and refaults allow it, their age is "
     "unproven."},
    {ReasonCode::cold, "cold", "Bytes were asked for that are proven idle for reclaim.idle."},
    {ReasonCode::saving, "saving",
     "The law's share is under the smallest request and is carried over to the next period."},
    {ReasonCode::warming, "warming",
     "There is no earlier sample of the last periods to take deltas from."},
    {ReasonCode::young, "young", "The container has been watched for less than reclaim.idle."},
    {ReasonCode::pressure, "pressure", "Memory pressure is over the target."},
    {ReasonCode::io_pressure, "io-pressure", "IO pressure is over the target."},
    {ReasonCode::refaults, "refaults", "Too much of what was taken came back."},
    {ReasonCode::protected_floor, "protected",
     "Usage is at the floor: reclaim.keep, memory.min or memory.low."},
    {ReasonCode::no_swap, "no-swap",
     "Swap is missing or nearly full, and only anonymous memory could leave."},
    {ReasonCode::after_oom, "after-oom",
     "The container met its limit or an OOM kill within the last minute."},
    {ReasonCode::frozen, "frozen", "The cgroup is frozen."},
    {ReasonCode::pages_unsupported, "pages-unsupported",
     "This kernel cannot reclaim only the kind of pages that was asked for."},
    {ReasonCode::nested, "nested", "Another registered container lives inside this one."},
    {ReasonCode::busy, "busy", "The write of an earlier period has not returned."},
    {ReasonCode::cpu, "cpu", "The app has used up its share of a core."},
    {ReasonCode::exhausted, "exhausted", "No pages of the wanted kind are left."},
    {ReasonCode::sensor, "sensor", "A file of the cgroup could not be read."},
    {ReasonCode::in_use, "in-use", "All that is seen has been in use within reclaim.idle."},
    {ReasonCode::growing, "growing", "Usage grows, and no age is proven."},
    {ReasonCode::shared_files, "shared-files",
     "Processes of others map files that it is charged for, and the kernel would not see their "
     "use."},
    {ReasonCode::paused, "paused", "Reclaim is paused on this node."},
    {ReasonCode::budget, "budget", "Reclaim of all containers together has used up its budget."},
    {ReasonCode::promoting, "promoting",
     "Memory that is proven hot was asked for into the fastest tier."},
    {ReasonCode::demoting, "demoting",
     "Memory was asked for out of the fastest tier: it is cold, over the share, or colder than "
     "what waits for its place."},
    {ReasonCode::placed, "placed", "All memory is in the tier where it should be."},
    {ReasonCode::tier_full, "tier-full", "What should move finds no room in the other tier."},
    {ReasonCode::returned, "returned", "Too much of what was moved between tiers came back."},
    {ReasonCode::unmovable, "unmovable",
     "What should move between nodes stays: it is shared with other processes, locked, held by a "
     "cpuset, or was moved a moment ago."},
    {ReasonCode::no_tiers, "no-tiers",
     "This node has no memory tiers to choose between: `cgtide doctor` says why."},
    {ReasonCode::unplaced, "unplaced", "No sensor has told yet where its memory is."},
    {ReasonCode::lower_tier, "lower-tier",
     "A lower tier has room: what is cold goes there, and is not paged out."},
    {ReasonCode::homing, "homing",
     "Memory was asked for to NUMA nodes that are nearer to the CPUs of its threads."},
    {ReasonCode::at_home, "at-home",
     "All memory is on the nodes that are nearest to the CPUs of its threads."},
    {ReasonCode::unbound, "unbound",
     "Its threads may run on CPUs of all nodes, or no node of a tier is nearer than another."},
    {ReasonCode::home_full, "home-full", "What should move finds no room on the nearest nodes."},
    {ReasonCode::stuck, "stuck",
     "What is proven idle was asked for and did not leave: it is locked, or of several processes."},
    {ReasonCode::trial, "trial",
     "After too much came back, what left last has to stay out for longer before more follows."},
}};

enum class Unit : std::uint8_t { bytes, share, time };

struct InputText {
    InputKey key;
    std::string_view name;
    Unit unit;
};

constexpr std::array<InputText, 33> kInputs{{
    {InputKey::usage, "usage_bytes", Unit::bytes},
    {InputKey::floor, "floor_bytes", Unit::bytes},
    {InputKey::ask, "ask_bytes", Unit::bytes},
    {InputKey::carried, "carried_bytes", Unit::bytes},
    {InputKey::memory_pressure, "memory_pressure_bp", Unit::share},
    {InputKey::io_pressure, "io_pressure_bp", Unit::share},
    {InputKey::target, "target_bp", Unit::share},
    {InputKey::refault_bytes, "refault_bytes", Unit::bytes},
    {InputKey::taken_bytes, "taken_bytes", Unit::bytes},
    {InputKey::hold, "hold_us", Unit::time},
    {InputKey::age, "age_us", Unit::time},
    {InputKey::idle, "idle_us", Unit::time},
    {InputKey::swap_free, "swap_free_bytes", Unit::bytes},
    {InputKey::anon, "anon_bytes", Unit::bytes},
    {InputKey::file, "file_bytes", Unit::bytes},
    {InputKey::cpu_used, "cpu_used_us", Unit::time},
    {InputKey::cpu_share, "cpu_share_bp", Unit::share},
    {InputKey::cold, "cold_bytes", Unit::bytes},
    {InputKey::unproven, "unproven_bytes", Unit::bytes},
    {InputKey::step, "step_bytes", Unit::bytes},
    {InputKey::growth, "growth_bytes", Unit::bytes},
    {InputKey::foreign, "foreign_mapped_bytes", Unit::bytes},
    {InputKey::urgency, "urgency_bp", Unit::share},
    {InputKey::fast, "fast_bytes", Unit::bytes},
    {InputKey::share, "share_bytes", Unit::bytes},
    {InputKey::hot_slow, "hot_slow_bytes", Unit::bytes},
    {InputKey::cold_fast, "cold_fast_bytes", Unit::bytes},
    {InputKey::home, "home_bytes", Unit::bytes},
    {InputKey::away, "away_bytes", Unit::bytes},
    {InputKey::limit, "limit_bytes", Unit::bytes},
    {InputKey::room, "room_bytes", Unit::bytes},
    {InputKey::moved_bytes, "moved_bytes", Unit::bytes},
    {InputKey::returned_bytes, "returned_bytes", Unit::bytes},
}};

/// A value of the reason in its unit, for the sentence.
std::string show(const Reason& reason, InputKey key) {
    return format_input({key, reason.input(key)});
}

std::string kept(const Reason& reason) {
    return "kept " + show(reason, InputKey::usage) + ": ";
}

std::string explain_pressure(const Reason& reason, InputKey key, std::string_view name) {
    return kept(reason) + std::string(name) + " pressure " + show(reason, key) + " over " +
           show(reason, InputKey::target);
}

/// Of CPU or of bytes.
std::string explain_budget(const Reason& reason) {
    if (reason.input(InputKey::cpu_used) > 0.0) {
        return kept(reason) + "reclaim of all containers together is " +
               show(reason, InputKey::cpu_used) + " over its " + show(reason, InputKey::cpu_share) +
               " of a core";
    }
    return kept(reason) + "of the budget of all containers together " +
           show(reason, InputKey::room) + " are left, and " + show(reason, InputKey::ask) +
           " were wanted";
}

} // namespace

Reason::Reason(ReasonCode code, std::initializer_list<Input> inputs)
    : Reason(code, std::span(inputs.begin(), inputs.size())) {}

Reason::Reason(ReasonCode code, std::span<const Input> inputs) : code_(code) {
    for (const Input& input : inputs) {
        if (count_ < kMaxInputs) {
            keys_[count_] = input.key;
            values_[count_++] = input.value;
        }
    }
}

std::vector<Input> Reason::inputs() const {
    std::vector<Input> all;
    for (std::size_t i = 0; i < count_; ++i) {
        all.push_back({keys_[i], values_[i]});
    }
    return all;
}

double Reason::input(InputKey key) const {
    const auto* const end = keys_.data() + count_;
    const auto* const at = std::find(keys_.data(), end, key);
    return at == end ? 0.0 : values_[static_cast<std::size_t>(at - keys_.data())];
}

void Reason::set(InputKey key, double value) {
    for (std::size_t i = 0; i < count_; ++i) {
        if (keys_[i] == key) {
            values_[i] = value;
        }
    }
}

std::span<const ReasonText> reason_table() {
    return kReasons;
}

std::string_view to_string(ReasonCode code) {
    return kReasons[static_cast<std::size_t>(code)].name;
}

std::string_view to_string(InputKey key) {
    return kInputs[static_cast<std::size_t>(key)].name;
}

std::string format_input(const Input& input) {
    switch (kInputs[static_cast<std::size_t>(input.key)].unit) {
    case Unit::bytes:
        return format_bytes({static_cast<std::uint64_t>(std::max(input.value, 0.0))});
    case Unit::share:
        return format_share({input.value});
    case Unit::time:
        return format_duration(Microseconds(std::llround(input.value)));
    }
    return {};
}

std::string explain(const Reason& reason) {
    using enum InputKey;
    switch (reason.code()) {
    case ReasonCode::reclaimed:
        return "asked " + show(reason, ask) + " of " + show(reason, usage) + ": memory pressure " +
               show(reason, memory_pressure) + " and io pressure " + show(reason, io_pressure) +
               " under " + show(reason, target) + ", " + show(reason, refault_bytes) +
               " came back; age: unproven";
    case ReasonCode::cold:
        return "asked " + show(reason, ask) + " of " + show(reason, InputKey::cold) + " idle for " +
               show(reason, idle) + " or longer, in steps of " + show(reason, step) +
               ": memory pressure " + show(reason, memory_pressure) + " and io pressure " +
               show(reason, io_pressure) + " under " + show(reason, target) + ", " +
               show(reason, refault_bytes) + " came back";
    case ReasonCode::saving:
        return kept(reason) + show(reason, carried) + " carried over until it is " +
               show(reason, limit);
    case ReasonCode::warming:
        return kept(reason) + "no sample of the last periods to compare with";
    case ReasonCode::young:
        return kept(reason) + "watched for " + show(reason, age) + ", under " + show(reason, idle);
    case ReasonCode::pressure:
        return explain_pressure(reason, memory_pressure, "memory");
    case ReasonCode::io_pressure:
        return explain_pressure(reason, InputKey::io_pressure, "io");
    case ReasonCode::refaults:
        return kept(reason) + show(reason, refault_bytes) + " of " + show(reason, taken_bytes) +
               " taken came back, over " + show(reason, limit) + "; waiting " + show(reason, hold);
    case ReasonCode::protected_floor:
        return kept(reason) + "floor is " + show(reason, InputKey::floor);
    case ReasonCode::no_swap:
        return kept(reason) + show(reason, swap_free) + " of swap free beyond its reserve, under " +
               show(reason, limit) + ", for " + show(reason, anon) + " of anonymous memory";
    case ReasonCode::after_oom:
        return kept(reason) + "limit or OOM kill; waiting " + show(reason, hold);
    case ReasonCode::cpu:
        return kept(reason) + "the app is " + show(reason, cpu_used) + " over its " +
               show(reason, cpu_share) + " of a core";
    case ReasonCode::in_use:
        return kept(reason) + "less than 1 MiB has been idle for " + show(reason, idle) +
               ", and the age of " + show(reason, unproven) + " is unproven";
    case ReasonCode::stuck:
        return kept(reason) + show(reason, InputKey::cold) + " have been idle for " +
               show(reason, idle) +
               ", and did not leave when they were asked for: locked, or of several processes; "
               "waiting " +
               show(reason, hold);
    case ReasonCode::trial:
        return kept(reason) + show(reason, InputKey::cold) + " have been idle for " +
               show(reason, idle) + ", but what left last has to stay out for " +
               show(reason, age) + ", longer than what had come back; waiting " +
               show(reason, hold);
    case ReasonCode::growing:
        return kept(reason) + "usage grew by " + show(reason, growth) + " in this period, over " +
               show(reason, limit) + "; age: unproven";
    case ReasonCode::shared_files:
        return kept(reason) + "processes of others map " + show(reason, foreign) +
               " of its files, over " + show(reason, limit) + ", and their use would not be seen";
    case ReasonCode::promoting:
        return "asked " + show(reason, ask) + " of " + show(reason, hot_slow) +
               " hot in slower memory into the fastest tier: " + show(reason, fast) + " of " +
               show(reason, share) + " are there";
    case ReasonCode::demoting:
        return "asked " + show(reason, ask) + " out of the fastest tier: " + show(reason, fast) +
               " of " + show(reason, share) + " are there, " + show(reason, cold_fast) +
               " of them cold, and " + show(reason, hot_slow) + " wait hot in slower memory";
    case ReasonCode::placed:
    case ReasonCode::tier_full:
        return kept(reason) + show(reason, fast) + " of " + show(reason, share) +
               " in the fastest tier, " + show(reason, cold_fast) + " of them cold; " +
               show(reason, hot_slow) + " hot in slower memory" +
               (reason.code() == ReasonCode::tier_full ? "; room for " + show(reason, room) : "");
    case ReasonCode::returned:
        return kept(reason) + show(reason, returned_bytes) + " of " + show(reason, moved_bytes) +
               " moved came back, over " + show(reason, limit) + "; waiting " + show(reason, hold);
    case ReasonCode::budget:
        return explain_budget(reason);
    case ReasonCode::homing:
        return "asked " + show(reason, ask) + " of " + show(reason, away) +
               " to nearer nodes, where " + show(reason, home) + " are";
    case ReasonCode::at_home:
    case ReasonCode::unbound:
    case ReasonCode::home_full:
    case ReasonCode::unmovable:
    case ReasonCode::no_tiers:
    case ReasonCode::unplaced:
    case ReasonCode::lower_tier:
    case ReasonCode::frozen:
    case ReasonCode::pages_unsupported:
    case ReasonCode::nested:
    case ReasonCode::busy:
    case ReasonCode::exhausted:
    case ReasonCode::sensor:
    case ReasonCode::paused:
        break;
    }
    std::string text(kReasons[static_cast<std::size_t>(reason.code())].meaning);
    text.pop_back();
    text.front() = static_cast<char>(text.front() | 0x20);
    return kept(reason) + text;
}

} // namespace cgtide::model
