#include "engine/act/cold_memory.hpp"

#include "cgroup/membership.hpp"

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

#include <sys/syscall.h>
#include <unistd.h>

namespace cgtide::act {

Result<HeldSpace> hold(const PageoutSite& site, const model::ColdSpace& space) {
    UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, space.pid, 0)));
    if (!process) {
        return fail_errno(errno, "pidfd_open", std::to_string(space.pid));
    }
    // After the descriptor was opened: a number that was given away before shows another start.
    if (auto member = cgroup::verify_member(site.proc, space.pid, space.pid_start, site.path);
        !member) {
        return tl::unexpected(member.error());
    }
    auto pages = cgroup::Pagemap::open(site.proc, space.pid);
    if (!pages) {
        return tl::unexpected(pages.error());
    }
    return HeldSpace{std::move(process), std::move(*pages)};
}

std::vector<ColdPiece> by_age(std::span<const model::ColdSpace> spaces) {
    std::vector<ColdPiece> pieces;
    for (std::size_t i = 0; i < spaces.size(); ++i) {
        for (const model::ColdRange& range : spaces[i].ranges) {
            pieces.push_back({i, range});
        }
    }
    std::stable_sort(pieces.begin(), pieces.end(), [](const ColdPiece& a, const ColdPiece& b) {
        return a.range.idle > b.range.idle;
    });
    return pieces;
}

bool is_wanted(cgroup::PageKind kind, model::Pages pages) {
    const bool is_file = kind == cgroup::PageKind::file;
    return pages == model::Pages::all || is_file == (pages == model::Pages::file);
}

} // namespace cgtide::act
