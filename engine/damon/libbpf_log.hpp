#pragma once

#include <string>

namespace cgtide::damon {

/// Keeps what libbpf warns of on this thread while it lives, instead of stderr; from the first one
/// on libbpf prints nothing by itself. One at a time a thread.
class LibbpfLog {
public:
    /// The last words are kept: a verifier's log says at its end what was wrong.
    static constexpr std::size_t kMaxText = 2048;

    LibbpfLog();
    LibbpfLog(const LibbpfLog&) = delete;
    LibbpfLog& operator=(const LibbpfLog&) = delete;
    ~LibbpfLog();

    /// One line, its parts divided by `; `.
    std::string text() const;

private:
    std::string raw_;
};

} // namespace cgtide::damon
