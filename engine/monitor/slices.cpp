#include "engine/monitor/slices.hpp"

#include <algorithm>
#include <bit>

namespace cgtide::monitor {

namespace {

/// The quotient, rounded down also below 0.
std::int64_t floor_div(std::int64_t value, std::int64_t by) {
    return value / by - (value % by < 0 ? 1 : 0);
}

Bytes scaled(Bytes bytes, Bytes from, Bytes to) {
    const double share = static_cast<double>(to.count) / static_cast<double>(from.count);
    return {static_cast<std::uint64_t>(static_cast<double>(bytes.count) * share)};
}

/// `step` without all but its `digits` leading binary digits, so that steps get longer with the
/// times.
std::int64_t coarse(std::int64_t step, int digits) {
    const auto number = static_cast<std::uint64_t>(step);
    const std::uint64_t size = step < 0 ? 0 - number : number;
    const int surplus = std::max(0, static_cast<int>(std::bit_width(size)) - digits);
    const std::uint64_t kept = size >> surplus << surplus;
    return static_cast<std::int64_t>(step < 0 ? 0 - kept : kept);
}

void join(KindBytes& sum, const KindBytes& bytes) {
    sum.anon = sum.anon + bytes.anon;
    sum.file = sum.file + bytes.file;
    sum.unsure_anon = sum.unsure_anon + bytes.unsure_anon;
    sum.unsure_file = sum.unsure_file + bytes.unsure_file;
}

void join(model::IdleSlice& slice, const KindBytes& bytes) {
    slice.anon = slice.anon + bytes.anon;
    slice.file = slice.file + bytes.file;
    slice.unsure = slice.unsure + bytes.unsure_anon + bytes.unsure_file;
}

} // namespace

ToldIdle told_idle(Microseconds least, Microseconds most, Microseconds resolution) {
    const Microseconds apart = most - std::max(least, Microseconds{0});
    const bool is_sure = apart <= std::max(2 * resolution + resolution / 4, least / 32);
    return {is_sure && least > Microseconds{0} ? least + apart / 2 : least, is_sure};
}

Slices::Slices(Microseconds resolution) : step_(std::max(resolution / 2, Microseconds{1})) {}

void Slices::add(Microseconds idle, const KindBytes& bytes) {
    join(steps_[floor_div(idle.count(), step_.count())], bytes);
}

void Slices::add_unsure(const Slices& other) {
    for (const auto& [step, bytes] : other.steps_) {
        join(steps_[step], {bytes.anon, bytes.file, bytes.anon, bytes.file});
    }
}

void Slices::doubt_files() {
    for (auto& [step, bytes] : steps_) {
        bytes.unsure_file = bytes.file;
    }
}

KindBytes Slices::sum() const {
    KindBytes all;
    for (const auto& [idle, bytes] : steps_) {
        join(all, bytes);
    }
    return all;
}

void Slices::scale_down(const KindBytes& most) {
    const KindBytes all = sum();
    for (auto& [idle, bytes] : steps_) {
        if (all.anon > most.anon) {
            bytes.anon = scaled(bytes.anon, all.anon, most.anon);
            bytes.unsure_anon = scaled(bytes.unsure_anon, all.anon, most.anon);
        }
        if (all.file > most.file) {
            bytes.file = scaled(bytes.file, all.file, most.file);
            bytes.unsure_file = scaled(bytes.unsure_file, all.file, most.file);
        }
    }
}

std::vector<model::IdleSlice> Slices::at_most(std::size_t count) const {
    constexpr int kAllDigits = 64;
    std::vector<model::IdleSlice> slices;
    for (int digits = kAllDigits; digits > 0; digits = digits == kAllDigits ? 7 : digits - 1) {
        slices.clear();
        std::int64_t current = 0;
        for (const auto& [step, bytes] : steps_) { // rising: the first of a slice is the youngest
            if (bytes.anon.count == 0 && bytes.file.count == 0) {
                continue;
            }
            const std::int64_t place = coarse(step, digits);
            if (slices.empty() || place != current) {
                slices.push_back({step_ * step, {}, {}});
                current = place;
            }
            join(slices.back(), bytes);
        }
        if (slices.size() <= count) {
            break;
        }
    }
    return slices;
}

} // namespace cgtide::monitor
