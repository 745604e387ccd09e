#include "tests/support/fake_damon.hpp"

#include "cgroup/base/text.hpp"

#include <algorithm>
#include <cerrno>
#include <stdexcept>

#include <unistd.h>

namespace cgtide::test {

namespace {

/// Worker threads have these starts, far from those of processes.
constexpr std::uint64_t kWorkerStart = 1'000'000;

std::string parent(const std::string& path) {
    return path.substr(0, path.rfind('/'));
}

bool intersect(const damon::Range& a, const damon::Range& b) {
    return a.start < b.end && b.start < a.end;
}

} // namespace

class FakeDamon::TreeFiles : public damon::Files {
public:
    explicit TreeFiles(FakeDamon& kernel) : kernel_(kernel) {}
    Result<std::string> read(const std::string& path) const override { return kernel_.read(path); }
    Result<void> write(const std::string& path, std::string_view text) override {
        return kernel_.write(path, text);
    }

private:
    FakeDamon& kernel_;
};

class FakeDamon::ModuleFiles : public damon::Files {
public:
    explicit ModuleFiles(FakeDamon& kernel) : kernel_(kernel) {}

    Result<std::string> read(const std::string& path) const override {
        const auto found = kernel_.module_.find(path.substr(0, path.find('/')));
        if (found == kernel_.module_.end()) {
            return fail_errno(ENOENT, "open", path);
        }
        return std::string(found->second ? "Y\n" : "N\n");
    }

    Result<void> write(const std::string& path, std::string_view text) override {
        return kernel_.write("module/" + path, text);
    }

private:
    FakeDamon& kernel_;
};

class FakeDamon::FakeHost : public damon::Host {
public:
    explicit FakeHost(FakeDamon& kernel) : kernel_(kernel) {}

    Result<UniqueFd> hold(int pid, std::uint64_t start) const override {
        const auto found = kernel_.processes_.find(pid);
        if (found == kernel_.processes_.end() || found->second.start != start) {
            return cgtide::fail(Errc::gone, "process", std::to_string(pid));
        }
        return UniqueFd(::dup(found->second.reader.get()));
    }

    Result<std::uint64_t> start_of(int pid) const override {
        for (const auto& [slot, worker] : kernel_.workers_) {
            if (worker.pid == pid) {
                return kWorkerStart + static_cast<std::uint64_t>(pid);
            }
        }
        const auto found = kernel_.processes_.find(pid);
        if (found == kernel_.processes_.end()) {
            return cgtide::fail(Errc::gone, "process", std::to_string(pid));
        }
        return found->second.start;
    }

    Result<Microseconds> cpu_time(int pid) const override {
        const auto found = kernel_.cpu_.find(pid);
        if (found == kernel_.cpu_.end()) {
            return cgtide::fail(Errc::gone, "process", std::to_string(pid));
        }
        return found->second;
    }

    Result<std::string> boot_id() const override { return std::string("this-boot"); }

    Result<std::vector<int>> kdamonds() const override {
        std::vector<int> pids;
        for (const auto& [name, enabled] : kernel_.module_) {
            if (enabled) {
                pids.push_back(static_cast<int>(8000 + pids.size()));
            }
        }
        for (const auto& [slot, worker] : kernel_.workers_) {
            pids.push_back(worker.pid);
        }
        if (kernel_.stray_ != 0) {
            pids.push_back(kernel_.stray_);
        }
        return pids;
    }

private:
    FakeDamon& kernel_;
};

FakeDamon::FakeDamon()
    : tree_(std::make_unique<TreeFiles>(*this)), modules_(std::make_unique<ModuleFiles>(*this)),
      host_(std::make_unique<FakeHost>(*this)) {
    make("nr_kdamonds");
}

FakeDamon::~FakeDamon() = default;

void FakeDamon::add_process(int pid, std::uint64_t start) {
    end_process(pid);
    int ends[2] = {-1, -1};
    if (::pipe(ends) != 0) {
        throw std::runtime_error("pipe");
    }
    processes_[pid] = {start, UniqueFd(ends[0]), UniqueFd(ends[1])};
}

void FakeDamon::end_process(int pid) {
    processes_.erase(pid);
}

void FakeDamon::set_module(const std::string& name, bool enabled) {
    module_[name] = enabled;
}

void FakeDamon::fail(const std::string& path_end, int error, int times) {
    faults_.push_back({path_end, error, times});
}

std::optional<std::vector<FakeDamon::Target>> FakeDamon::running(std::size_t slot) const {
    const auto found = workers_.find(std::to_string(slot));
    if (found == workers_.end()) {
        return std::nullopt;
    }
    return found->second.targets;
}

int FakeDamon::worker(std::size_t slot) const {
    const auto found = workers_.find(std::to_string(slot));
    return found == workers_.end() ? 0 : found->second.pid;
}

std::size_t FakeDamon::schemes(std::size_t slot) const {
    const auto found = workers_.find(std::to_string(slot));
    return found == workers_.end() ? 0 : found->second.schemes.size();
}

std::string FakeDamon::scheme(std::size_t slot, std::size_t index, const std::string& file) const {
    if (index >= schemes(slot)) {
        return {};
    }
    const auto& files = workers_.at(std::to_string(slot)).schemes[index].files;
    const auto found = files.find(file);
    return found == files.end() ? std::string() : found->second;
}

void FakeDamon::count_snapshots(std::size_t slot, std::uint64_t count) {
    for (Scheme& scheme : workers_.at(std::to_string(slot)).schemes) {
        const auto most = to_u64(scheme.files["stats/max_nr_snapshots"]).value_or(0);
        scheme.snapshots += count;
        scheme.snapshots = most == 0 ? scheme.snapshots : std::min(scheme.snapshots, most);
    }
}

void FakeDamon::count_snapshot_of(std::size_t slot, std::size_t index) {
    ++workers_.at(std::to_string(slot)).schemes.at(index).snapshots;
}

void FakeDamon::count_applied(std::size_t slot, std::size_t index, std::uint64_t bytes) {
    workers_.at(std::to_string(slot)).schemes.at(index).applied += bytes;
}

void FakeDamon::poke(const std::string& path, std::string_view text) {
    if (const int error = apply(path, std::string(text)); error != 0) {
        throw std::runtime_error(path + ": " + std::to_string(error));
    }
}

Result<std::string> FakeDamon::read(const std::string& path) const {
    if (path.ends_with("/pid") && files_.count(parent(path) + "/state") != 0) {
        const auto found = workers_.find(parent(path));
        return found == workers_.end() ? "-1\n" : std::to_string(found->second.pid) + "\n";
    }
    const auto found = files_.find(path);
    if (found == files_.end()) {
        return fail_errno(ENOENT, "open", path);
    }
    return found->second.ends_with('\n') ? found->second : found->second + "\n";
}

Result<void> FakeDamon::write(const std::string& path, std::string_view text) {
    ++writes_;
    if (hook_) {
        hook_(path, text, false);
    }
    for (Fault& fault : faults_) {
        if (fault.times > 0 && path.ends_with(fault.path_end)) {
            --fault.times;
            return fail_errno(fault.error, "write", path);
        }
    }
    if (const int error = apply(path, std::string(text)); error != 0) {
        return fail_errno(error, "write", path);
    }
    if (hook_) {
        hook_(path, text, true);
    }
    return {};
}

int FakeDamon::apply(const std::string& path, const std::string& text) {
    if (path.starts_with("module/")) {
        const std::string name = path.substr(7, path.find('/', 7) - 7);
        if (text == "Y" && !module_[name] && (!workers_.empty() || any_module())) {
            return EBUSY;
        }
        module_[name] = text == "Y";
        return 0;
    }
    if (files_.count(path) == 0) {
        return ENOENT;
    }
    const std::string slot = path.substr(0, path.find('/'));
    const std::string name = path.substr(path.rfind('/') + 1);
    if (name == "state") {
        return set_state(slot, text);
    }
    if (name.starts_with("nr_")) {
        const auto value = to_u64(text);
        if (!value || (name == "nr_contexts" && *value > 1)) {
            return EINVAL;
        }
        const bool busy = name == "nr_kdamonds"
                              ? !workers_.empty()
                              : name == "nr_contexts" && workers_.count(slot) != 0;
        if (busy) {
            return EBUSY;
        }
        make_children(path, *value);
    }
    if (name == "type" && text == "unmapped" && !knows_unmapped_) {
        return EINVAL;
    }
    files_[path] = text;
    return 0;
}

int FakeDamon::set_state(const std::string& slot, const std::string& command) {
    if (command == "on") {
        return workers_.count(slot) != 0 ? EBUSY : turn_on(slot);
    }
    if (command == "off") {
        return workers_.erase(slot) != 0 ? 0 : EPERM;
    }
    if (workers_.count(slot) == 0) {
        return EINVAL;
    }
    if (command == "update_schemes_tried_regions") {
        return update_tried_regions(slot);
    }
    if (command == "clear_schemes_tried_regions") {
        clear_tried_regions(slot);
        return 0;
    }
    if (command == "update_schemes_stats") {
        return update_stats(slot);
    }
    if (command == "commit_schemes_quota_goals") {
        commit_schemes(slot);
        return 0;
    }
    return command == "commit" ? commit(slot) : EINVAL;
}

int FakeDamon::update_stats(const std::string& slot) {
    const std::vector<Scheme>& schemes = workers_.at(slot).schemes;
    for (std::size_t i = 0; i < schemes.size(); ++i) {
        const std::string stats = slot + "/contexts/0/schemes/" + std::to_string(i) + "/stats/";
        make(stats + "nr_snapshots", std::to_string(schemes[i].snapshots));
        make(stats + "nr_tried", schemes[i].applied > 0 ? "1" : "0");
        make(stats + "sz_applied", std::to_string(schemes[i].applied));
    }
    return 0;
}

/// By index: a scheme that takes the place of another goes on with its counts.
void FakeDamon::commit_schemes(const std::string& slot) {
    const std::string folder = slot + "/contexts/0/schemes/";
    std::vector<Scheme>& schemes = workers_.at(slot).schemes;
    schemes.resize(count(folder + "nr_schemes"));
    for (std::size_t i = 0; i < schemes.size(); ++i) {
        const std::string scheme = folder + std::to_string(i) + "/";
        schemes[i].files.clear();
        for (auto at = files_.lower_bound(scheme);
             at != files_.end() && at->first.starts_with(scheme); ++at) {
            schemes[i].files.emplace(at->first.substr(scheme.size()), at->second);
        }
    }
}

void FakeDamon::clear_tried_regions(const std::string& slot) {
    const std::string schemes = slot + "/contexts/0/schemes/";
    for (std::uint64_t i = 0; i < count(schemes + "nr_schemes"); ++i) {
        const std::string tried = schemes + std::to_string(i) + "/tried_regions/";
        for (int j = 0; files_.count(tried + std::to_string(j) + "/start") != 0; ++j) {
            erase_below(tried + std::to_string(j) + "/");
        }
    }
}

/// What schemes that take everything have tried: all regions of all targets that live, each with as
/// many accesses as the pid of its target has in its last digit, with the number of commits that it
/// has lived for as its age, and with as many bytes passed as its scheme has filters.
int FakeDamon::update_tried_regions(const std::string& slot) {
    clear_tried_regions(slot);
    const std::string schemes = slot + "/contexts/0/schemes/";
    if (count(schemes + "nr_schemes") == 0) {
        return EINVAL;
    }
    for (std::uint64_t i = 0; i < count(schemes + "nr_schemes"); ++i) {
        const std::string scheme = schemes + std::to_string(i) + "/";
        if (files_.at(scheme + "action") == "pageout") {
            continue; // what it has tried is not read
        }
        const bool takes_all = files_.at(scheme + "action") == "stat" &&
                               count(scheme + "access_pattern/sz/max") != 0 &&
                               count(scheme + "access_pattern/nr_accesses/max") != 0 &&
                               count(scheme + "access_pattern/age/max") != 0;
        if (!takes_all) {
            return EINVAL;
        }
        try_regions(slot, scheme);
    }
    return 0;
}

void FakeDamon::try_regions(const std::string& slot, const std::string& scheme) {
    const bool of_processes = files_.at(slot + "/contexts/0/operations") != "paddr";
    int number = 0;
    for (const Target& target : workers_.at(slot).targets) {
        if (of_processes && !old_ && processes_.count(target.pid) == 0) {
            continue;
        }
        for (const Region& region : target.regions) {
            const std::string folder = scheme + "tried_regions/" + std::to_string(number++) + "/";
            make(folder + "start", std::to_string(region.range.start));
            make(folder + "end", std::to_string(region.range.end));
            make(folder + "nr_accesses", std::to_string(target.pid % 10));
            make(folder + "age", std::to_string(commits_ - region.since));
            make(folder + "sz_filter_passed",
                 std::to_string(count(scheme + "ops_filters/nr_filters")));
        }
    }
}

int FakeDamon::turn_on(const std::string& slot) {
    if (any_module()) {
        return EBUSY;
    }
    if (count(slot + "/contexts/nr_contexts") != 1) {
        return EINVAL;
    }
    ++commits_;
    if (names_unknown_cgroup(slot)) {
        return ENOMEM;
    }
    auto targets = parse_targets(slot);
    if (!targets) {
        return EINVAL;
    }
    workers_[slot] = {next_pid_++, std::move(*targets), {}};
    commit_schemes(slot);
    return 0;
}

int FakeDamon::commit(const std::string& slot) {
    ++commits_;
    if (names_unknown_cgroup(slot)) {
        return ENOMEM;
    }
    auto wanted = parse_targets(slot);
    if (!wanted) {
        if (old_) {
            workers_.erase(slot);
            return 0;
        }
        return EINVAL;
    }
    std::vector<Target>& targets = workers_.at(slot).targets;
    for (std::size_t i = 0; i < wanted->size() && i < targets.size(); ++i) {
        Target& next = (*wanted)[i];
        const std::vector<Region>& before = targets[i].regions;
        if (next.regions.empty()) {
            next.regions = before;
        }
        for (Region& region : next.regions) {
            for (const Region& old : before) {
                if (intersect(region.range, old.range)) {
                    region.since = old.since;
                }
            }
        }
    }
    targets = std::move(*wanted);
    commit_schemes(slot);
    return 0;
}

bool FakeDamon::names_unknown_cgroup(const std::string& slot) const {
    const std::string schemes = slot + "/contexts/0/schemes/";
    return std::any_of(files_.begin(), files_.end(), [&](const auto& file) {
        return file.first.starts_with(schemes) && file.first.ends_with("/memcg_path") &&
               std::find(removed_.begin(), removed_.end(), file.second) != removed_.end();
    });
}

std::optional<std::vector<FakeDamon::Target>>
FakeDamon::parse_targets(const std::string& slot) const {
    constexpr std::uint64_t kFewestRegions = 3;
    const std::string bounds = slot + "/contexts/0/monitoring_attrs/nr_regions/";
    if (count(bounds + "min") < kFewestRegions || count(bounds + "max") < count(bounds + "min")) {
        return std::nullopt;
    }
    const std::string folder = slot + "/contexts/0/targets/";
    std::vector<Target> targets;
    for (std::uint64_t i = 0; i < count(folder + "nr_targets"); ++i) {
        const std::string target = folder + std::to_string(i) + "/";
        const int pid = static_cast<int>(count(target + "pid_target"));
        if (files_.at(slot + "/contexts/0/operations") != "paddr" && processes_.count(pid) == 0) {
            return std::nullopt;
        }
        targets.push_back({pid, parse_regions(target + "regions/")});
    }
    return targets;
}

std::vector<FakeDamon::Region> FakeDamon::parse_regions(const std::string& folder) const {
    std::vector<Region> regions;
    for (std::uint64_t i = 0; i < count(folder + "nr_regions"); ++i) {
        const std::string region = folder + std::to_string(i) + "/";
        regions.push_back({{count(region + "start"), count(region + "end")}, commits_});
    }
    return regions;
}

void FakeDamon::make(const std::string& path, const std::string& value) {
    const std::string name = path.substr(path.rfind('/') + 1);
    if (std::find(absent_.begin(), absent_.end(), name) == absent_.end()) {
        files_[path] = value;
    }
}

void FakeDamon::make_children(const std::string& count_path, std::uint64_t count) {
    const auto slash = count_path.rfind('/');
    const std::string folder = slash == std::string::npos ? "" : count_path.substr(0, slash + 1);
    const std::string name = count_path.substr(folder.size());
    for (std::uint64_t i = 0;; ++i) {
        const std::string child = folder + std::to_string(i) + "/";
        const auto first = files_.lower_bound(child);
        if (first == files_.end() || !first->first.starts_with(child)) {
            break;
        }
        erase_below(child);
    }
    for (std::uint64_t i = 0; i < count; ++i) {
        const std::string child = folder + std::to_string(i) + "/";
        if (name == "nr_kdamonds") {
            make(child + "state", "off");
            make(child + "contexts/nr_contexts");
        } else if (name == "nr_contexts") {
            make_context(child);
        } else if (name == "nr_targets") {
            make(child + "pid_target");
            make(child + "obsolete_target", "N");
            make(child + "regions/nr_regions");
        } else if (name == "nr_regions") {
            make(child + "start");
            make(child + "end");
        } else if (name == "nr_schemes") {
            for (const char* file : {"action",
                                     "access_pattern/sz/min",
                                     "access_pattern/sz/max",
                                     "access_pattern/nr_accesses/min",
                                     "access_pattern/nr_accesses/max",
                                     "access_pattern/age/min",
                                     "access_pattern/age/max",
                                     "quotas/bytes",
                                     "quotas/reset_interval_ms",
                                     "quotas/goal_tuner",
                                     "quotas/fail_charge_num",
                                     "quotas/fail_charge_denom",

                                     "quotas/weights/age_permil",
                                     "quotas/goals/nr_goals",
                                     "stats/max_nr_snapshots",
                                     "stats/nr_snapshots",
                                     "stats/nr_tried",
                                     "stats/sz_ops_filter_passed",
                                     "stats/sz_applied",
                                     "target_nid",
                                     "dests/nr_dests",
                                     "tried_regions/total_bytes",
                                     "apply_interval_us",
                                     "core_filters/nr_filters",
                                     "ops_filters/nr_filters"}) {
                make(child + file);
            }
        } else if (name == "nr_filters") {
            for (const char* file : {"type", "matching", "allow", "memcg_path", "addr_start",
                                     "addr_end", "damon_target_idx"}) {
                make(child + file);
            }
        } else if (name == "nr_goals") {
            for (const char* file : {"target_metric", "target_value", "current_value"}) {
                make(child + file);
            }
        }
    }
}

void FakeDamon::make_context(const std::string& folder) {
    make(folder + "avail_operations", operations_);
    make(folder + "operations", "vaddr");
    make(folder + "monitoring_attrs/intervals/sample_us", "5000");
    make(folder + "monitoring_attrs/intervals/aggr_us", "100000");
    make(folder + "monitoring_attrs/intervals/update_us", "60000000");
    make(folder + "monitoring_attrs/nr_regions/min", "10");
    make(folder + "monitoring_attrs/nr_regions/max", "1000");
    make(folder + "monitoring_attrs/probes/nr_probes");
    make(folder + "targets/nr_targets");
    make(folder + "schemes/nr_schemes");
}

void FakeDamon::erase_below(const std::string& folder) {
    auto at = files_.lower_bound(folder);
    while (at != files_.end() && at->first.starts_with(folder)) {
        at = files_.erase(at);
    }
}

std::uint64_t FakeDamon::count(const std::string& path) const {
    const auto found = files_.find(path);
    return found == files_.end() ? 0 : to_u64(found->second).value_or(0);
}

bool FakeDamon::any_module() const {
    return std::any_of(module_.begin(), module_.end(), [](const auto& one) { return one.second; });
}

} // namespace cgtide::test
