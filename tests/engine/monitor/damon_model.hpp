#pragma once

#include "engine/damon/types.hpp"
#include "tests/support/sizes.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <random>
#include <utility>
#include <vector>

namespace cgtide::test {

/// DAMON's sampling, merging and splitting of one target's regions, as mm/damon/core.c does them,
/// with random numbers of a seed.
class DamonModel {
public:
    struct Options {
        std::uint32_t samples = 20; ///< a region an aggregation
        std::size_t min_regions = 10;
        std::size_t max_regions = 100;
    };
    /// How likely one sampling interval finds the page at an address in use, 0 to 1.
    using Use = std::function<double(std::uint64_t)>;

    DamonModel(const std::vector<damon::Range>& ranges, const Options& options, std::uint64_t seed)
        : options_(options), random_(seed) {
        for (const damon::Range& range : ranges) {
            regions_.push_back({range, 0, 0, 0});
            total_ += range.end - range.start;
        }
    }

    /// One aggregation: what damon_aggregated tells at its end.
    std::vector<damon::Region> aggregate(const Use& use) {
        for (State& region : regions_) {
            region.accesses = looks(region.range, use);
        }
        merge();
        std::vector<damon::Region> told;
        for (State& region : regions_) {
            told.push_back({region.range, region.accesses, region.age});
            region.last_accesses = region.accesses;
        }
        split();
        return told;
    }

private:
    struct State {
        damon::Range range;
        std::uint32_t accesses = 0;
        std::uint32_t last_accesses = 0;
        std::uint32_t age = 0;

        std::uint64_t size() const { return range.end - range.start; }
    };

    std::uint32_t looks(const damon::Range& range, const Use& use) {
        std::uniform_int_distribution<std::uint64_t> page(0, (range.end - range.start) / kPage - 1);
        std::uniform_real_distribution<double> chance(0.0, 1.0);
        std::uint32_t found = 0;
        for (std::uint32_t i = 0; i < options_.samples; ++i) {
            found += chance(random_) < use(range.start + page(random_) * kPage) ? 1U : 0U;
        }
        return found;
    }

    static std::uint32_t difference(std::uint32_t a, std::uint32_t b) {
        return a > b ? a - b : b - a;
    }

    void merge() {
        const std::uint64_t most = std::max<std::uint64_t>(total_ / options_.min_regions, kPage);
        std::uint32_t threshold = options_.samples / 10;
        do {
            merge_once(threshold, most);
            threshold = std::max(1U, threshold * 2);
        } while (regions_.size() > options_.max_regions && threshold / 2 < options_.samples);
    }

    void merge_once(std::uint32_t threshold, std::uint64_t most) {
        std::vector<State> merged;
        for (State& region : regions_) {
            const bool changed = difference(region.accesses, region.last_accesses) > threshold ||
                                 (region.accesses == 0) != (region.last_accesses == 0);
            region.age = changed ? 0 : region.age + 1;
            if (!merged.empty() && merged.back().range.end == region.range.start &&
                difference(merged.back().accesses, region.accesses) <= threshold &&
                merged.back().size() + region.size() <= most) {
                State& left = merged.back();
                const auto mean = [&](std::uint32_t a, std::uint32_t b) {
                    return static_cast<std::uint32_t>((a * left.size() + b * region.size()) /
                                                      (left.size() + region.size()));
                };
                const std::uint32_t accesses = mean(left.accesses, region.accesses);
                left.age = mean(left.age, region.age);
                left.accesses = accesses;
                left.range.end = region.range.end;
            } else {
                merged.push_back(region);
            }
        }
        regions_ = std::move(merged);
    }

    void split() {
        if (regions_.size() > options_.max_regions / 2) {
            return;
        }
        const int parts =
            regions_.size() == last_count_ && regions_.size() < options_.max_regions / 3 ? 3 : 2;
        last_count_ = regions_.size();
        std::vector<State> next;
        for (State region : regions_) {
            std::vector<State> tail;
            for (int i = 1; i < parts && region.size() > 2 * kPage; ++i) {
                std::uniform_int_distribution<std::uint64_t> tenths(1, 9);
                const std::uint64_t left = region.size() * tenths(random_) / 10 / kPage * kPage;
                if (left == 0) {
                    continue;
                }
                State right = region;
                right.range.start += left;
                region.range.end = right.range.start;
                tail.push_back(right);
            }
            next.push_back(region);
            next.insert(next.end(), tail.rbegin(), tail.rend());
        }
        regions_ = std::move(next);
    }

    Options options_;
    std::mt19937_64 random_;
    std::vector<State> regions_;
    std::uint64_t total_ = 0;
    std::size_t last_count_ = 0;
};

} // namespace cgtide::test
