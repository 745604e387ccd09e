#include "engine/apps/suggest.hpp"

#include "engine/apps/numbers.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace cgtide::apps {

namespace {

/// Whole MiB, rounded up. Parts of a byte are what the margins' fractions left.
Bytes whole_mebibytes(double bytes) {
    constexpr double kMiB = 1048576.0;
    return mebibytes(static_cast<std::uint64_t>(std::ceil(std::floor(bytes) / kMiB)));
}

double share(double part, double all) {
    return all > 0.0 ? part / all : 0.0;
}

model::Confidence confidence_in(const model::Suggestion& found) {
    const double unseen = share(number(found.unseen), number(found.highest_usage));
    const double refaults = share(number(found.refaulted), number(found.highest_usage));
    if (found.window >= kHighWindow && unseen < kHighUnseen && refaults < kHighRefaults) {
        return model::Confidence::high;
    }
    return found.window >= kMediumWindow && unseen < kMediumUnseen ? model::Confidence::medium
                                                                   : model::Confidence::low;
}

} // namespace

std::optional<model::Suggestion> suggest(std::span<const model::HistoryPoint> points, Bytes page) {
    if (points.size() < 2) {
        return std::nullopt;
    }
    model::Suggestion found;
    for (std::size_t i = 1; i < points.size(); ++i) {
        const auto apart =
            std::chrono::duration_cast<Microseconds>(points[i].at - points[i - 1].at);
        found.window += apart <= kMostApart ? apart : Microseconds(0);
    }
    if (found.window < kLeastWindow) {
        return std::nullopt;
    }
    const double window = std::chrono::duration<double>(model::kWorkingSetWindow).count();
    std::vector<double> needs;
    for (const model::HistoryPoint& point : points) {
        const Bytes refaulted{
            static_cast<std::uint64_t>(point.refaults_per_second * window * number(page))};
        needs.push_back(number(point.working_set + point.unseen + refaulted));
        found.working_set = std::max(found.working_set, point.working_set);
        found.unseen = std::max(found.unseen, point.unseen);
        found.refaulted = std::max(found.refaulted, refaulted);
        found.highest_usage = std::max(found.highest_usage, point.usage);
    }
    const auto rank =
        static_cast<std::size_t>(std::ceil(kRequestShare * static_cast<double>(needs.size()))) - 1;
    std::nth_element(needs.begin(), needs.begin() + static_cast<std::ptrdiff_t>(rank), needs.end());
    found.points = points.size();
    found.request = whole_mebibytes(needs[rank] * (1.0 + kRequestMargin));
    found.limit = std::max(whole_mebibytes(number(found.highest_usage) * (1.0 + kLimitMargin)),
                           found.request);
    found.confidence = confidence_in(found);
    return found;
}

} // namespace cgtide::apps
