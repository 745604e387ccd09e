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

/// Addresses that are scanned for one chunk at most.
constexpr std::uint64_t kWindow = 64U << 20U;

long advise(int process, const iovec* vectors, std::size_t count) {
    return ::syscall(SYS_process_madvise, process, vectors, count, MADV_PAGEOUT, 0);
}

/// Pages out piece by piece.
class Pager {
public:
    Pager(const model::Decision& decision, Interrupt& interrupt, model::Outcome& outcome)
        : decision_(decision), interrupt_(interrupt), outcome_(outcome) {}

    /// \returns false where nothing more is to be done.
    bool take(HeldSpace& target, const model::ColdRange& range) {
        std::uint64_t at = range.start;
        while (at < range.end && left().count > 0) {
            if (interrupt_.stopped()) {
                outcome_.end = OutcomeEnd::interrupted;
                return false;
            }
            const auto next = gather(target, at, std::min(range.end, at + kWindow));
            if (!next) {
                return true; // the process has ended: the others may go on
            }
            if (!vectors_.empty()) {
                if (!send(target)) {
                    return false;
                }
                settle(target, at, *next);
            }
            at = *next;
        }
        return left().count > 0;
    }

    /// What has not left yet of what was asked for.
    Bytes left() const { return decision_.ask - gone_; }

private:
    /// Gathers present pages of the wanted kind from `start` on, a chunk of them. \returns where
    /// the next chunk begins; nullopt where they cannot be told.
    std::optional<std::uint64_t> gather(HeldSpace& target, std::uint64_t start, std::uint64_t end) {
        vectors_.clear();
        bytes_ = {};
        runs_.clear();
        if (!target.pages.scan(start, end, {}, runs_)) {
            return std::nullopt;
        }
        const Bytes most = std::min(left(), kPageoutChunk);
        for (const Present& run : runs_) {
            if (!is_wanted(run.kind, decision_.pages)) {
                continue;
            }
            const std::uint64_t size = std::min(run.end - run.start, (most - bytes_).count);
            vectors_.push_back({reinterpret_cast<void*>(run.start), size}); // NOLINT: theirs
            bytes_ = bytes_ + Bytes{size};
            if (bytes_ >= most || vectors_.size() == kVectors) {
                return run.start + size;
            }
        }
        return end;
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

    /// Books what of [start, end) has left its page tables and what has stayed.
    void settle(HeldSpace& target, std::uint64_t start, std::uint64_t end) {
        runs_.clear();
        Bytes stayed;
        if (target.pages.scan(start, end, {}, runs_)) {
            for (const Present& run : runs_) {
                if (is_wanted(run.kind, decision_.pages)) {
                    stayed = stayed + Bytes{run.end - run.start};
                }
            }
        }
        stayed = std::min(stayed, bytes_);
        gone_ = gone_ + (bytes_ - stayed);
        outcome_.found = outcome_.found + bytes_;
        outcome_.stuck = outcome_.stuck + stayed;
    }

    const model::Decision& decision_;
    Interrupt& interrupt_;
    model::Outcome& outcome_;
    std::vector<Present> runs_;
    std::vector<iovec> vectors_; ///< the chunk
    Bytes bytes_;                ///< ... and how many
    Bytes gone_;
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
