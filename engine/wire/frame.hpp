#pragma once

#include "cgroup/base/result.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace cgtide::wire {

/// Cuts a stream of bytes into NUL-terminated frames. Holds at most one bounded frame and what one
/// feed() brought beside it.
class FrameReader {
public:
    /// `limit`: the largest frame in bytes, its NUL not counted.
    explicit FrameReader(std::size_t limit) : limit_(limit) {}

    /// Takes bytes as they came. Call next() until it has no more before the next feed().
    void feed(std::string_view bytes);

    /// The next complete frame without its NUL; nullopt where more bytes are needed.
    ///
    /// \returns `out_of_range` for a frame over the limit, complete or not, from then on: the
    /// stream has no next frame that could be trusted.
    Result<std::optional<std::string>> next();

    /// True while a frame has begun and not ended.
    bool pending() const { return buffer_.size() > begin_; }

private:
    std::size_t limit_;
    std::string buffer_;
    std::size_t begin_ = 0;   ///< where the next frame begins
    std::size_t scanned_ = 0; ///< there is no NUL between begin_ and here
};

} // namespace cgtide::wire
