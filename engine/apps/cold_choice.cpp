#include "engine/apps/cold_choice.hpp"

#include "engine/apps/actuator_choice.hpp"
#include "engine/apps/numbers.hpp"
#include "engine/apps/reclaim.hpp"

#include <algorithm>

namespace cgtide::apps {

namespace {

using model::Actuator;
using model::Pages;

/// Bytes of these pages.
double of(Pages pages, Bytes anon, Bytes file) {
    return (pages == Pages::file ? 0.0 : number(anon)) +
           (pages == Pages::anon ? 0.0 : number(file));
}

/// The kind to ask for by address: one alone where next to nothing of the other is cold, for then
/// what bounds the other, as swap does, does not bound it. DAMON's workers take no kind but all,
/// and files of a tmpfs are swapped.
Pages cold_kind(const model::Snapshot& now, Actuator actuator, Pages pages, Bytes anon,
                Bytes file) {
    if (pages != Pages::all) {
        return pages;
    }
    if (file < kSmallestAsk) {
        return Pages::anon;
    }
    const bool may_swap = anon >= kSmallestAsk || now.stat->shmem >= kSmallestAsk;
    return actuator == Actuator::pageout && !may_swap ? Pages::file : pages;
}

/// By what proven bytes leave. By address files of a tmpfs are files, and are swapped: where no
/// swap may be used, the kernel's lists, which have them beside anonymous memory, tell them apart.
Actuator actuator_for(const ColdSite& site, Pages pages) {
    const Bytes limit = site.now.swap_limit.value_or(Bytes{Bytes::kUnlimited});
    const bool has_swapped_files =
        site.now.stat->shmem >= kSmallestAsk && site.node.swap_total.count > 0 && limit.count > 0;
    return pages == Pages::file && has_swapped_files && site.node.swappiness_key
               ? Actuator::memory_reclaim
               : choose_actuator(site.now.idle->source, pages, site.node.actuators);
}

/// What pageout left in its place: several of the container's processes map it, as they do after a
/// fork, and the kernel takes that by its lists alone, where it is among the oldest. Of the kind
/// that is cold, and not where it may be locked.
Cold in_lists(const ColdSite& site, Bytes anon, Bytes file) {
    Cold found;
    const bool by_anon = anon >= file;
    if (site.now.at >= site.state.stuck_until || site.now.at < site.state.listless_until ||
        number(site.now.stat->unevictable) > site.state.stuck / 2.0 ||
        !(by_anon ? site.node.swappiness_max : site.node.swappiness_key)) {
        return found;
    }
    found.is_stuck = true;
    found.pages = by_anon ? Pages::anon : Pages::file;
    found.bytes = std::min(site.state.stuck, number(by_anon ? anon : file) - site.state.left);
    return found;
}

} // namespace

Cold choose_cold(const ColdSite& site, const AgeProof& proof, const KindChoice& kinds) {
    if (!proof.known) {
        return {};
    }
    const Bytes anon = std::min(proof.cold_anon, kinds.anon);
    const Bytes file = std::min(proof.cold_file, kinds.file);
    const bool is_shared = proof.foreign_mapped >= kSmallestAsk;
    // A tmpfs is no page cache to the kernel's lists: for its bytes they would take others.
    const Bytes listed =
        is_shared ? Bytes{} : std::min(proof.cold_file - site.now.stat->shmem, kinds.file);
    const bool in_ranges = !(site.state.elsewhere &&
                             site.now.idle->source == model::IdleSource::regions_and_physical &&
                             listed >= kSmallestAsk);
    const Actuator actuator = actuator_for(site, kinds.pages);
    const bool by_address = is_by_address(actuator);
    Cold found;
    if (by_address && in_ranges) {
        found.actuator = actuator;
        found.pages = cold_kind(site.now, actuator, kinds.pages, anon, file);
        found.bytes = of(found.pages, anon, file);
        found.bytes -= site.now.at < site.state.stuck_until ? site.state.stuck : 0.0;
    } else if (actuator == Actuator::generations && !site.state.elsewhere) {
        found.actuator = actuator;
        found.pages = Pages::anon; // generations prove nothing of page cache
        found.bytes = number(anon);
    } else {
        // Not found in address spaces: page cache that no process maps. Or not in generations that
        // are old enough as a whole.
        const Bytes unlisted = by_address ? Bytes{} : anon;
        found.pages = narrow(kinds.pages, unlisted, listed, site.node);
        found.bytes =
            found.pages == Pages::all && is_shared ? 0.0 : of(found.pages, unlisted, listed);
    }
    found.bytes -= site.state.left;
    if (found.bytes < number(kSmallestAsk) && actuator == Actuator::pageout) {
        const Cold stuck = in_lists(site, anon, listed);
        return stuck.bytes >= number(kSmallestAsk) ? stuck : found;
    }
    return found;
}

} // namespace cgtide::apps
