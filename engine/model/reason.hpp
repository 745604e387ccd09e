#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cgtide::model {

/// Why an app decided as it did. kReasons in reason.cpp is the one table of names, meanings and
/// sentences.
enum class ReasonCode : std::uint8_t {
    reclaimed,         ///< bytes were asked for, at the pace of unproven age
    cold,              ///< bytes were asked for that are proven idle
    saving,            ///< the law's share is under the smallest request and is carried over
    warming,           ///< no earlier sample to take deltas from
    young,             ///< the container has been watched for less than reclaim.idle
    pressure,          ///< memory pressure is over the target
    io_pressure,       ///< io pressure is over the target
    refaults,          ///< what was taken came back
    protected_floor,   ///< usage is at the floor: keep, memory.min or memory.low
    no_swap,           ///< swap is (nearly) full or missing, and only anonymous memory is left
    after_oom,         ///< an OOM kill or a `max` event within the last minute
    frozen,            ///< the cgroup is frozen
    pages_unsupported, ///< this kernel cannot reclaim only the kind that was asked for
    nested,            ///< another registered container lives inside
    busy,              ///< the write of an earlier period has not returned
    cpu,               ///< reclaim used up its share of a core
    exhausted,         ///< no pages of the wanted kind are left
    sensor,            ///< a file of the cgroup could not be read
    in_use,            ///< all that is seen has been in use within reclaim.idle
    growing,           ///< usage grows, and no age is proven
    shared_files,      ///< processes of others map its files, and nothing else may leave
    paused,            ///< reclaim is paused on the whole node
    budget,            ///< reclaim of all containers together used up its share
    promoting,         ///< hot bytes were asked for into the fastest tier
    demoting,          ///< bytes were asked for out of it
    placed,            ///< nothing is worth a move
    tier_full,         ///< what should move finds no room
    returned,          ///< what was moved came back
    unmovable,         ///< what should move was tried and stays where it is
    no_tiers,          ///< the node's memory is all of one speed
    unplaced,          ///< no sensor has told where its hot memory is
    lower_tier,        ///< reclaim: what is cold is demoted before it is paged out
    homing,            ///< bytes were asked for to nodes nearer to their CPUs
    at_home,           ///< numa: nothing is worth a move
    unbound,           ///< numa: its threads may run near to all of the memory
    home_full,         ///< numa: what should move finds no room
    stuck,             ///< reclaim: what is cold was asked for and did not leave
    trial,             ///< reclaim: what left last has not stayed out for long enough
};

/// The numbers behind a decision. Bytes, shares (basis points), durations (microseconds), plain
/// counts.
enum class InputKey : std::uint8_t {
    usage,
    floor,
    ask,
    carried,
    memory_pressure,
    io_pressure,
    target,
    refault_bytes,
    taken_bytes,
    hold,
    age,
    idle,
    swap_free,
    anon,
    file,
    cpu_used,
    cpu_share,
    cold,
    unproven,
    step,
    growth,
    foreign,
    urgency,
    fast,
    share,
    hot_slow,
    cold_fast,
    home,
    away,
    limit, ///< what the value beside it is held against
    room,
    moved_bytes,
    returned_bytes,
};

struct Input {
    InputKey key{};
    double value = 0.0;
};

/// A reason code with its inputs: small, without allocation, for the journal keeps thousands.
class Reason {
public:
    static constexpr std::size_t kMaxInputs = 9;

    Reason() = default;
    /// More than kMaxInputs inputs are cut.
    Reason(ReasonCode code, std::initializer_list<Input> inputs);
    Reason(ReasonCode code, std::span<const Input> inputs);

    ReasonCode code() const { return code_; }
    std::vector<Input> inputs() const;
    /// The value of an input; 0 where it is not among them.
    double input(InputKey key) const;
    /// Replaces the value of an input that is among them.
    void set(InputKey key, double value);

private:
    std::array<double, kMaxInputs> values_{};
    std::array<InputKey, kMaxInputs> keys_{};
    std::uint8_t count_ = 0;
    ReasonCode code_ = ReasonCode::warming;
};

/// A row of the table of reasons.
struct ReasonText {
    ReasonCode code;
    std::string_view name;    ///< stable, for JSON and metrics: `io-pressure`
    std::string_view meaning; ///< one sentence for the docs
};

/// All reasons, in the order of ReasonCode.
std::span<const ReasonText> reason_table();

std::string_view to_string(ReasonCode code);
/// Stable name of an input, with its unit: `usage_bytes`, `memory_pressure_bp`, `hold_us`.
std::string_view to_string(InputKey key);
/// A value in its unit, for people.
std::string format_input(const Input& input);

/// The decision in words: `kept 12.1 MiB: io pressure 0.34 % over 0.10 %`.
std::string explain(const Reason& reason);

} // namespace cgtide::model
