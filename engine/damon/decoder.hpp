#pragma once

#include "cgroup/base/units.hpp"
#include "engine/damon/event.hpp"
#include "engine/damon/types.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

namespace cgtide::damon {

/// What became of events. `events` is the sum of `told`, `in_commit`, `unknown`, `incomplete`,
/// `sentinel` and what Decoder::waiting() says.
struct DecoderCounters {
    std::uint64_t events = 0;     ///< fed
    std::uint64_t told = 0;       ///< in a Round
    std::uint64_t lost = 0;       ///< never fed: gaps in the sequences of the kdamonds
    std::uint64_t in_commit = 0;  ///< told during a commit, so that their index may mean either
    std::uint64_t unknown = 0;    ///< of a kdamond without an epoch, or an index beyond its table
    std::uint64_t incomplete = 0; ///< of a round of which others are missing
    std::uint64_t sentinel = 0;   ///< of a slot's sentinel: nothing is missed with them
};

/// Makes rounds of what kdamonds tell. Pure; one thread.
///
/// An index means a target by the epoch that holds, so that the decoder must know of a commit no
/// later than of the events that follow it. Three steps keep that without a lock:
///
/// 1. Who commits takes the time, hands it over (`begin`), commits, takes the time again and hands
///    the whole epoch over (`end`). A commit that failed ends too, with the keys from before it.
/// 2. Who reads drains the stream first, then takes what was handed over, then feeds. What was told
///    after a commit's begin cannot be drained before that begin was handed over.
/// 3. Between `begin` and `end` younger events are kept; then those of the commit itself are
/// dropped
///    and those after it told.
///
/// The first epoch of a kdamond needs no `begin`: nobody watches it earlier.
class Decoder {
public:
    /// Younger events of one kdamond that an unfinished commit holds back at most; where there are
    /// more, those that are held are dropped as `in_commit`.
    static constexpr std::size_t kMaxHeld = 16'384;
    /// Epochs of one kdamond that are kept at most; the oldest go first.
    static constexpr std::size_t kMaxEpochs = 16;

    /// A commit of this kdamond is about to be written.
    void begin(int kdamond, TimePoint at);

    /// A commit has returned. Epochs of one kdamond come in the order of time.
    void end(Epoch epoch);

    /// This kdamond has ended: its number may come back as another.
    void forget(int kdamond);

    /// Takes events, those of one kdamond in the order of time, and appends the rounds that they
    /// complete. What a commit held back until now is told first, also where `events` is empty.
    void feed(std::span<const Event> events, std::vector<Round>& rounds);

    /// Events that are held by an unfinished commit or belong to a round that is not complete yet.
    std::size_t waiting() const;

    const DecoderCounters& counters() const { return counters_; }

private:
    /// What is known of one kdamond.
    struct Kdamond {
        std::vector<Epoch> epochs; ///< rising; the first is that of the last event
        std::optional<TimePoint> committing;
        std::vector<Event> held;
        std::optional<Event> last;   ///< none where the one before the next is not known
        std::uint32_t next = 0;      ///< sequence
        bool counting = false;       ///< whether `next` is known
        bool in_step = false;        ///< the current round has been seen from its first region on
        bool finished = false;       ///< the event before was the last of its round
        TimePoint epoch{};           ///< begin of the epoch in which it began
        std::vector<Region> regions; ///< of the current round
    };

    void sort(Kdamond& kdamond, const Event& event, std::vector<Round>& rounds);
    void take(Kdamond& kdamond, const Event& event, std::vector<Round>& rounds);
    void add(Kdamond& kdamond, const Event& event, const Epoch& epoch, std::vector<Round>& rounds);
    bool starts_round(Kdamond& kdamond, const Event& event);
    void break_round(Kdamond& kdamond);
    void hold(Kdamond& kdamond, const Event& event);

    std::unordered_map<int, Kdamond> kdamonds_;
    DecoderCounters counters_;
};

} // namespace cgtide::damon
