#pragma once

#include "engine/model/policy.hpp"
#include "engine/model/reason.hpp"
#include "engine/model/snapshot.hpp"

#include <optional>

namespace cgtide::apps {

/// Which pages may be asked for, and how many bytes of them there are.
struct KindChoice {
    model::Pages pages = model::Pages::all; ///< never `automatic`
    Bytes anon;      ///< anonymous bytes that may leave: none of another kind, at most swap_free
    Bytes file;      ///< file bytes that may leave
    Bytes swap_free; ///< what the container may still swap, the node's reserve left free
    std::optional<model::ReasonCode> refused; ///< `no-swap` or `pages-unsupported`
};

/// Settles reclaim.pages against the node's swap and what its memory.reclaim takes. Needs
/// `now.stat`. Pure. docs/apps/reclaim.md has the table.
KindChoice choose_kinds(const model::Policy& policy, const model::Snapshot& now,
                        const model::NodeView& node);

/// `all` only where both kinds are worth it: the kernel's own lists choose, and where they may take
/// what they like they take the kind that is not meant. Pure.
model::Pages narrow(model::Pages pages, Bytes anon, Bytes file, const model::NodeView& node);

/// Swap that is left free: kSwapReserve of the node's. Pure.
Bytes swap_reserve(const model::NodeView& node);

} // namespace cgtide::apps
