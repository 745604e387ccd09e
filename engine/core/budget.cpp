#include "engine/core/budget.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

namespace cgtide::core {

namespace {

/// Seconds' worth of bytes that a bucket holds: the longest usual period.
constexpr double kBurst = 6.0;

double number(Bytes bytes) {
    return static_cast<double>(bytes.count);
}

Bytes whole(double bytes) {
    constexpr double kMost = 0x1p63;
    return {static_cast<std::uint64_t>(std::min(bytes, kMost))};
}

} // namespace

std::vector<Bytes> share_out(std::span<const Claim> claims, Bytes room, Bytes least) {
    std::vector<Bytes> grants(claims.size());
    std::vector<std::size_t> order(claims.size());
    std::iota(order.begin(), order.end(), 0U);
    if (room.count < least.count * claims.size()) {
        std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
            return claims[a].waited > claims[b].waited;
        });
        for (const std::size_t i : order) {
            const Bytes grant = std::min(claims[i].ask, least);
            if (grant > room) {
                break;
            }
            grants[i] = grant;
            room = room - grant;
        }
        return grants;
    }
    // Smallest first: what it leaves of its equal part is the others'.
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return claims[a].ask < claims[b].ask; });
    for (std::size_t done = 0; done < order.size(); ++done) {
        const Bytes part{room.count / (order.size() - done)};
        grants[order[done]] = std::min(claims[order[done]].ask, part);
        room = room - grants[order[done]];
    }
    return grants;
}

void Budget::fill(TimePoint now) {
    const double elapsed =
        filled_ ? std::max(0.0, std::chrono::duration<double>(now - *filled_).count()) : kBurst;
    filled_ = now;
    bytes_ = std::min(bytes_ + elapsed * number(limits_.rate), kBurst * number(limits_.rate));
    swap_bytes_ = std::min(swap_bytes_ + elapsed * number(limits_.swap_rate),
                           kBurst * number(limits_.swap_rate));
    constexpr double kMicro = 1e6;
    cpu_debt_ = std::max(0.0, cpu_debt_ - elapsed * kMicro * limits_.cpu.ratio());
}

void Budget::spend(Bytes ask, model::Pages pages) {
    bytes_ = std::max(0.0, bytes_ - number(ask));
    if (pages != model::Pages::file) {
        swap_bytes_ = std::max(0.0, swap_bytes_ - number(ask));
    }
}

void Budget::settle(const model::Outcome& outcome, model::Pages pages) {
    const double kept = number(outcome.asked - left_by(outcome));
    bytes_ += kept;
    if (pages != model::Pages::file) {
        swap_bytes_ += kept;
    }
    cpu_debt_ += static_cast<double>(outcome.cpu.count());
}

Bytes Budget::room() const {
    return whole(bytes_);
}

Microseconds Budget::cpu_debt() const {
    return Microseconds(static_cast<std::int64_t>(std::ceil(cpu_debt_)));
}

Bytes Budget::swap_room() const {
    return whole(std::min(bytes_, swap_bytes_));
}

} // namespace cgtide::core
