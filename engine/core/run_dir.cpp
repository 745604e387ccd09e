#include "engine/core/run_dir.hpp"

#include "engine/core/wall_clock.hpp"

#include <cerrno>
#include <set>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

namespace cgtide::core {

namespace {

using nlohmann::json;

Result<Dir> make_dir(const Dir& parent, const std::string& name, mode_t mode) {
    if (::mkdirat(parent.fd(), name.c_str(), mode) != 0 && errno != EEXIST) {
        return fail_errno(errno, "make directory", name);
    }
    return parent.sub(name);
}

constexpr const char* kPaused = "paused";

std::string file_name(const std::string& key, std::string_view suffix) {
    return key + std::string(suffix);
}

json to_json(const std::vector<model::AppName>& apps) {
    json names = json::array();
    for (const model::AppName app : apps) {
        names.push_back(model::to_string(app));
    }
    return names;
}

std::int64_t to_ns(const timespec& time) {
    constexpr std::int64_t kBillion = 1'000'000'000;
    return time.tv_sec * kBillion + time.tv_nsec;
}

/// `.<key>…tmp`, of the hook's and of Dir::replace(): the name of a file until it is whole.
bool is_unfinished(const std::string& name) {
    return name.front() == '.' && name.ends_with(".tmp") &&
           oci::is_record_key(name.substr(1, name.find('.', 1) - 1));
}

/// Names of apps that a later version knows are left out: this one cannot run them.
std::vector<model::AppName> to_apps(const json& names) {
    std::vector<model::AppName> apps;
    for (const json& name : names) {
        if (name.is_string()) {
            if (const auto app = model::app_name(name.get<std::string>())) {
                apps.push_back(*app);
            }
        }
    }
    return apps;
}

} // namespace

Result<RunDir> RunDir::open(const std::string& path) {
    constexpr mode_t kPublic = 0755;
    constexpr mode_t kPrivate = 0700;
    if (::mkdir(path.c_str(), kPublic) != 0 && errno != EEXIST) {
        return fail_errno(errno, "make run folder", path);
    }
    auto run = Dir::open(path);
    if (!run) {
        return tl::unexpected(run.error());
    }
    auto containers = make_dir(*run, std::string(oci::kContainersDir), kPrivate);
    if (!containers) {
        return tl::unexpected(containers.error());
    }
    auto attached = make_dir(*run, std::string(oci::kAttachedDir), kPrivate);
    if (!attached) {
        return tl::unexpected(attached.error());
    }
    return RunDir(std::move(*run), std::move(*containers), std::move(*attached));
}

Result<Found> RunDir::scan() const {
    const auto names = containers_.list();
    if (!names) {
        return tl::unexpected(names.error());
    }
    std::set<std::string> marks;
    Found found;
    for (const std::string& name : *names) {
        if (name.ends_with(oci::kStoppedSuffix)) {
            marks.insert(name.substr(0, name.size() - oci::kStoppedSuffix.size()));
        }
        found.unfinished = found.unfinished || is_unfinished(name);
    }
    for (const std::string& name : *names) {
        if (!name.ends_with(oci::kRecordSuffix) || name.front() == '.') {
            continue;
        }
        const std::string key = name.substr(0, name.size() - oci::kRecordSuffix.size());
        if (!oci::is_record_key(key)) {
            continue;
        }
        const auto text = containers_.read(name);
        if (!text && is_gone(text.error())) {
            continue;
        }
        found.entries.push_back({key,
                                 text ? oci::decode_record(*text) : tl::unexpected(text.error()),
                                 marks.erase(key) > 0});
    }
    for (const std::string& key : marks) {
        if (oci::is_record_key(key)) {
            found.orphans.push_back(key);
        }
    }
    return found;
}

Result<int> RunDir::sweep(std::chrono::seconds age) const {
    const auto names = containers_.list();
    if (!names) {
        return tl::unexpected(names.error());
    }
    const std::int64_t latest = wall_clock_ms() - std::chrono::milliseconds(age).count();
    int removed = 0;
    for (const std::string& name : *names) {
        struct stat info {};
        if (!is_unfinished(name) ||
            ::fstatat(containers_.fd(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0 ||
            to_ns(info.st_mtim) / 1'000'000 > latest) {
            continue;
        }
        if (auto done = containers_.remove(name); !done) {
            return tl::unexpected(done.error());
        }
        ++removed;
    }
    return removed;
}

Result<std::int64_t> RunDir::changed() const {
    struct stat info {};
    if (::fstat(containers_.fd(), &info) != 0) {
        return fail_errno(errno, "stat", std::string(oci::kContainersDir));
    }
    return to_ns(info.st_mtim);
}

Result<void> RunDir::save(const std::string& key, const oci::Record& record) const {
    return containers_.replace(file_name(key, oci::kRecordSuffix), oci::encode_record(record));
}

Result<void> RunDir::mark_stopped(const std::string& key) const {
    constexpr unsigned kPrivate = 0600;
    auto fd = containers_.file(file_name(key, oci::kStoppedSuffix), O_WRONLY | O_CREAT, kPrivate);
    if (!fd) {
        return tl::unexpected(fd.error());
    }
    return {};
}

Result<void> RunDir::forget(const std::string& key, CgroupId ended) const {
    const std::string name = file_name(key, oci::kRecordSuffix);
    const auto text = containers_.read(name);
    const auto record = text ? oci::decode_record(*text) : tl::unexpected(text.error());
    if (record && record->cgroup == ended) {
        if (auto done = containers_.remove(name); !done) {
            return done;
        }
    }
    if (auto done = containers_.remove(file_name(key, oci::kStoppedSuffix)); !done) {
        return done;
    }
    return attached_.remove(name);
}

Result<Attachment> RunDir::attachment(const std::string& key) const {
    const auto text = attached_.read(file_name(key, oci::kRecordSuffix));
    if (!text) {
        if (is_gone(text.error())) {
            return Attachment{};
        }
        return tl::unexpected(text.error());
    }
    const json file = json::parse(*text, nullptr, false);
    if (!file.is_object()) {
        return fail(Errc::malformed, "attachment", key + ": no JSON object");
    }
    return Attachment{to_apps(file.value("added", json::array())),
                      to_apps(file.value("removed", json::array()))};
}

Result<void> RunDir::attach(const std::string& key, const Attachment& attachment) const {
    const std::string name = file_name(key, oci::kRecordSuffix);
    if (attachment == Attachment{}) {
        return attached_.remove(name);
    }
    const json file{{"added", to_json(attachment.added)}, {"removed", to_json(attachment.removed)}};
    return attached_.replace(name, file.dump());
}

Result<bool> RunDir::paused() const {
    const auto text = run_.read(kPaused);
    if (!text && !is_gone(text.error())) {
        return tl::unexpected(text.error());
    }
    return text.has_value();
}

Result<void> RunDir::pause(bool on) const {
    return on ? run_.replace(kPaused, "") : run_.remove(kPaused);
}

} // namespace cgtide::core
