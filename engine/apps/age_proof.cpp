#include "engine/apps/age_proof.hpp"

#include <algorithm>

namespace cgtide::apps {

namespace {

/// The part of `whole` that `part` of `all` is.
Bytes share(Bytes whole, Bytes part, Bytes all) {
    if (all.count == 0) {
        return {};
    }
    const double ratio = static_cast<double>(part.count) / static_cast<double>(all.count);
    return {static_cast<std::uint64_t>(static_cast<double>(whole.count) * std::min(ratio, 1.0))};
}

} // namespace

AgeProof prove_age(const model::Snapshot& now, Microseconds idle) {
    AgeProof proof;
    const model::IdleView* const view = now.idle.get();
    const bool is_fresh =
        view != nullptr && now.at - view->at <= std::max(kStaleView, 3 * view->resolution);
    proof.known = is_fresh && view->watched >= idle;
    if (is_fresh && view->mapped_file) {
        proof.foreign_mapped = now.stat->file_mapped - *view->mapped_file;
    }
    if (!proof.known) {
        proof.unproven_anon = now.stat->anon;
        proof.unproven_file = now.stat->file;
        return proof;
    }
    Bytes seen_anon;
    Bytes seen_file;
    for (const model::IdleSlice& slice : view->slices) {
        seen_anon = seen_anon + slice.anon;
        seen_file = seen_file + slice.file;
        const Bytes both = slice.anon + slice.file;
        if (slice.idle >= idle) {
            // What is unsure of a file may be charged to another container.
            proof.cold_anon = proof.cold_anon + slice.anon;
            proof.cold_file =
                proof.cold_file + (slice.file - share(slice.unsure, slice.file, both));
            continue;
        }
        proof.unproven_anon = proof.unproven_anon + share(slice.unsure, slice.anon, both);
        proof.unproven_file = proof.unproven_file + share(slice.unsure, slice.file, both);
    }
    proof.unproven_anon = proof.unproven_anon + (now.stat->anon - seen_anon);
    proof.unproven_file = proof.unproven_file + (now.stat->file - seen_file);
    return proof;
}

} // namespace cgtide::apps
