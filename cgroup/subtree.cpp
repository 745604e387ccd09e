#include "cgroup/subtree.hpp"

#include "cgroup/parse/flat.hpp"

namespace cgtide::cgroup {

namespace {

Result<std::vector<int>> pids_of(const Dir& dir) {
    const auto text = dir.read("cgroup.procs");
    if (!text) {
        if (text.error().code == std::errc::operation_not_supported) {
            return std::vector<int>{}; // threaded: its domain lists the processes
        }
        return tl::unexpected(text.error());
    }
    return parse_pids(*text);
}

class Walk {
public:
    explicit Walk(const SubtreeOptions& options) : options_(options) {}

    Result<void> visit(const Dir& dir, const std::string& path, std::size_t depth) {
        const auto id = dir.id();
        if (!id) {
            return tl::unexpected(id.error());
        }
        if (depth > 0 && options_.excluded.contains(*id)) {
            return {};
        }
        if (depth > options_.max_depth || found_.nodes.size() >= options_.max_nodes) {
            found_.complete = false;
            return {};
        }
        auto pids = options_.with_pids ? pids_of(dir) : std::vector<int>{};
        if (!pids) {
            return tl::unexpected(pids.error());
        }
        const auto names = dir.list(true);
        if (!names) {
            return tl::unexpected(names.error());
        }
        found_.nodes.push_back({*id, path, std::move(*pids)});
        const std::string prefix = path == "/" ? path : path + "/";
        for (const std::string& name : *names) {
            const auto child = dir.sub(name);
            auto done = child ? visit(*child, prefix + name, depth + 1)
                              : Result<void>(tl::unexpected(child.error()));
            if (!done && !is_gone(done.error())) {
                return done;
            }
        }
        return {};
    }

    Subtree take() { return std::move(found_); }

private:
    const SubtreeOptions& options_;
    Subtree found_;
};

} // namespace

Result<Subtree> walk_subtree(const Dir& top, const std::string& path,
                             const SubtreeOptions& options) {
    Walk walk(options);
    if (const auto done = walk.visit(top, path, 0); !done) {
        return is_gone(done.error()) ? fail(Errc::gone, "walk cgroup", path)
                                     : tl::unexpected(done.error());
    }
    return walk.take();
}

} // namespace cgtide::cgroup
