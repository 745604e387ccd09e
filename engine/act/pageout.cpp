#include "engine/act/pageout.hpp"

#include "engine/act/meter.hpp"

#include <algorithm>
#include <cerrno>

#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

namespace cgtide::act {

namespace {

using cgroup::Present;
using model::OutcomeEnd;

/// Ranges of one call at most: the kernel takes 1024.
constexpr std::size_t kVectors = 256;

constexpr std::uint64_t kPage = 4096;

/// Addresses that are scanned at a time.
constexpr std::uint64_t kWindow = 64U << 20U;

long advise(int process, const iovec* vectors, std::size_t count) {
    return ::syscall(SYS_process_madvise, process, vectors, count, MADV_PAGEOUT, 0);
}

/// Pages out piece by piece, whole pages.
class Pager {
public:
    Pager(const model::Decision& decision, Interrupt& interrupt, model::Outcome& outcome)
        : pages_(decision.pages), interrupt_(interrupt),
          outcome_(outcome), left_{decision.ask.count / kPage * kPage} {}

    /// \returns false where nothing more is to be done.
    bool take(HeldSpace& target, const model::ColdRange& range) {
        for (std::uint64_t at = range.start; at < range.end && left_.count > 0; at += kWindow) {
            if (is_over()) {
                return false;
            }
            window_.clear();
            if (!target.pages.scan(at, std::min(range.end, at + kWindow), {}, window_)) {
                return true; // the process has ended: the others may go on
            }
            if (!take_window(target)) {
                return false;
            }
        }
        return left_.count > 0;
    }

    /// What has not left yet of what was asked for.
    Bytes left() const { return left_; }

private:
    bool is_over() {
        if (interrupt_.stopped()) {
            outcome_.end = OutcomeEnd::interrupted;
            return true;
        }
        return false;
    }

    /// Takes the present pages of the wanted kind, a chunk at a time. \returns false where nothing
    /// more is to be done.
    bool take_window(HeldSpace& target) {
        for (const Present& run : window_) {
            if (!is_wanted(run.kind, pages_)) {
                continue;
            }
            for (std::uint64_t at = run.start; at < run.end;) {
                const Bytes most = std::min(left_, kPageoutChunk);
                const std::uint64_t size = std::min(run.end - at, (most - bytes_).count);
                vectors_.push_back({reinterpret_cast<void*>(at), size}); // NOLINT: theirs
                bytes_ = bytes_ + Bytes{size};
                at += size;
                const bool is_full = bytes_ >= most || vectors_.size() == kVectors;
                if (is_full && (!take_chunk(target) || left_.count == 0 || is_over())) {
                    return false;
                }
            }
        }
        return vectors_.empty() || take_chunk(target);
    }

    /// \returns false where the kernel refuses the call.
    bool take_chunk(HeldSpace& target) {
        if (!send(target)) {
            return false;
        }
        settle(target);
        vectors_.clear();
        bytes_ = {};
        return true;
    }

    /// Advises what was gathered; a range that the kernel refuses (locked, or unmapped meanwhile)
    /// is passed over. \returns false where it refuses the call.
    bool send(HeldSpace& target) {
        std::size_t first = 0;
        while (first < vectors_.size()) {
            long done =
                advise(target.process.get(), vectors_.data() + first, vectors_.size() - first);
            if (done < 0 && (errno == EPERM || errno == ENOSYS)) {
                outcome_.end = OutcomeEnd::failed;
                outcome_.error = errno;
                return false;
            }
            if (done < 0 && errno == ESRCH) {
                return true;
            }
            while (first < vectors_.size() && done >= static_cast<long>(vectors_[first].iov_len)) {
                done -= static_cast<long>(vectors_[first++].iov_len);
            }
            first += first < vectors_.size() ? 1 : 0;
        }
        return true;
    }

    /// Books what of the chunk has left its page tables and what has stayed.
    void settle(HeldSpace& target) {
        const auto address = [](const iovec& vector) {
            return reinterpret_cast<std::uint64_t>(vector.iov_base);
        };
        const std::uint64_t end = address(vectors_.back()) + vectors_.back().iov_len;
        present_.clear();
        Bytes stayed;
        if (target.pages.scan(address(vectors_.front()), end, {}, present_)) {
            for (const Present& run : present_) {
                if (is_wanted(run.kind, pages_)) {
                    stayed = stayed + Bytes{run.end - run.start};
                }
            }
        }
        stayed = std::min(stayed, bytes_);
        left_ = left_ - (bytes_ - stayed);
        outcome_.found = outcome_.found + bytes_;
        outcome_.stuck = outcome_.stuck + stayed;
    }

    model::Pages pages_;
    Interrupt& interrupt_;
    model::Outcome& outcome_;
    Bytes left_;
    std::vector<Present> window_;
    std::vector<Present> present_;
    std::vector<iovec> vectors_; ///< the chunk
    Bytes bytes_;                ///< ... and how many
};

void page_out_all(const PageoutSite& site, std::span<const model::ColdSpace> spaces, Pager& pager,
                  Meter& meter) {
    std::vector<std::optional<HeldSpace>> targets(spaces.size());
    for (std::size_t i = 0; i < spaces.size(); ++i) {
        auto target = hold(site, spaces[i]);
        if (target) {
            targets[i] = std::move(*target);
        } else if (target.error().code == std::errc::permission_denied) {
            meter.fail_with(target.error());
            return;
        }
    }
    for (const ColdPiece& piece : by_age(spaces)) {
        if (targets[piece.space] && !pager.take(*targets[piece.space], piece.range)) {
            return;
        }
    }
    if (pager.left().count > 0) {
        meter.outcome().end = OutcomeEnd::partial;
    }
}

} // namespace

PageoutSupport probe_pageout() {
    PageoutSupport support;
    const UniqueFd self(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
    support.present = self && advise(self.get(), nullptr, 0) == 0;
    if (!support.present) {
        support.detail = std::generic_category().message(errno);
    }
    return support;
}

model::Outcome page_out(const PageoutSite& site, const model::Decision& decision,
                        std::span<const model::ColdSpace> spaces, Microseconds deadline,
                        Interrupt& interrupt) {
    Meter meter(site.group, decision);
    if (!meter.failed()) {
        interrupt.arm(deadline);
        Pager pager(decision, interrupt, meter.outcome());
        page_out_all(site, spaces, pager, meter);
        interrupt.disarm();
    }
    return meter.finish();
}

} // namespace cgtide::act
