#pragma once

#include "engine/damon/types.hpp"

#include <mutex>
#include <optional>
#include <vector>

namespace cgtide::monitor {

/// A commit that is about to be written, or one that has returned.
struct CommitNews {
    int kdamond = 0;
    TimePoint begin{};
    std::optional<damon::Epoch> epoch; ///< none while it is under way
};

/// What the thread that commits tells the thread that reads the stream: the one place where the two
/// meet. Calls may come from both at any time.
class Handover {
public:
    /// Must come before the commit is written: no event of it may be read earlier.
    void begin(int kdamond, TimePoint at);
    void end(std::vector<damon::Epoch> epochs);

    /// What was told since, in its order.
    std::vector<CommitNews> take();

private:
    std::mutex mutex_;
    std::vector<CommitNews> news_;
};

} // namespace cgtide::monitor
