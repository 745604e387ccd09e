#include "engine/wire/frame.hpp"

#include <algorithm>

namespace cgtide::wire {

void FrameReader::feed(std::string_view bytes) {
    buffer_.erase(0, begin_);
    scanned_ -= begin_;
    begin_ = 0;
    buffer_.append(bytes);
}

Result<std::optional<std::string>> FrameReader::next() {
    const std::size_t end = std::min(buffer_.find('\0', scanned_), buffer_.size());
    if (end - begin_ > limit_) {
        return fail(Errc::out_of_range, "varlink message",
                    "is larger than " + std::to_string(limit_) + " bytes");
    }
    scanned_ = end;
    if (end == buffer_.size()) {
        return std::nullopt;
    }
    std::string frame = buffer_.substr(begin_, end - begin_);
    begin_ = end + 1;
    scanned_ = begin_;
    return frame;
}

} // namespace cgtide::wire
