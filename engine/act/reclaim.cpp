#include "engine/act/reclaim.hpp"

#include "engine/act/meter.hpp"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

namespace cgtide::act {

namespace {

using model::OutcomeEnd;
using model::Pages;

/// One write: 0, or the errno.
int write_once(int fd, const std::string& text) {
    return ::pwrite(fd, text.data(), text.size(), 0) < 0 ? errno : 0;
}

/// How a write's errno ends the request; nullopt where the next chunk may follow.
std::optional<OutcomeEnd> end_of(int error, const Interrupt& interrupt) {
    switch (error) {
    case 0:
        return std::nullopt;
    case EAGAIN:
        return OutcomeEnd::partial;
    case EINTR:
        if (interrupt.stopped()) {
            return OutcomeEnd::interrupted;
        }
        return std::nullopt;
    case ENODEV:
    case ENOENT:
        return OutcomeEnd::gone;
    default:
        return OutcomeEnd::failed;
    }
}

/// Writes chunk after chunk; `left` holds what has not been asked for yet.
void write_chunks(int fd, const model::Decision& decision, bool swappiness_key,
                  Interrupt& interrupt, model::Outcome& outcome) {
    const Bytes chunk = decision.pages == Pages::file ? kFileChunk : kAnonChunk;
    Bytes left = decision.ask;
    while (left.count > 0) {
        if (interrupt.stopped()) {
            outcome.end = OutcomeEnd::interrupted;
            return;
        }
        const Bytes now = std::min(left, chunk);
        const int error = write_once(fd, reclaim_text(now, decision.pages, swappiness_key));
        if (const auto end = end_of(error, interrupt)) {
            outcome.end = *end;
            outcome.error = *end == OutcomeEnd::failed ? error : 0;
            return;
        }
        left = left - now;
    }
}

} // namespace

ReclaimSupport probe_reclaim(const Dir& group) {
    ReclaimSupport support;
    auto fd = group.file("memory.reclaim", O_WRONLY);
    if (!fd) {
        support.detail = fd.error().message();
        return support;
    }
    support.reclaim = true;
    support.swappiness = write_once(fd->get(), "0 swappiness=60") == 0;
    support.swappiness_max = write_once(fd->get(), "0 swappiness=max") == 0;
    return support;
}

std::string reclaim_text(Bytes bytes, model::Pages pages, bool swappiness_key) {
    std::string text = std::to_string(bytes.count);
    if (pages == Pages::anon) {
        text += " swappiness=max";
    } else if (pages == Pages::file && swappiness_key) {
        text += " swappiness=0";
    }
    return text;
}

model::Outcome reclaim(const Dir& group, const model::Decision& decision, bool swappiness_key,
                       Microseconds deadline, Interrupt& interrupt) {
    Meter meter(group, decision);
    auto fd = group.file("memory.reclaim", O_WRONLY);
    if (!fd && !meter.failed()) {
        meter.fail_with(fd.error());
    }
    if (!meter.failed()) {
        interrupt.arm(deadline);
        write_chunks(fd->get(), decision, swappiness_key, interrupt, meter.outcome());
        interrupt.disarm();
    }
    return meter.finish();
}

} // namespace cgtide::act
