#pragma once

#include "tests/daemon/program.hpp"
#include "tests/support/fake_tree.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace cgtide::daemon {

using Annotations = std::map<std::string, std::string>;

/// stat alone.
inline const Annotations kStat{{"cgtide.io/apps", "stat"}};

/// stat and reclaim under the profile `test` of Node's settings, without the wait for idle memory.
Annotations reclaimed(const Annotations& more = {});

/// What reclaim asks for under that profile at no pressure: 10 % of 64 MiB.
inline constexpr std::uint64_t kTenth = 6'710'886;

/// A node made of files: a fake tree, a run folder, settings, and the real programs on them.
class Node : public testing::Test {
protected:
    Node();

    /// Starts the engine and waits until it serves. \returns false where it ended instead.
    bool start(const std::vector<std::string>& more = {});
    /// The arguments that start() gives, for an engine that is to fail.
    std::vector<std::string> engine_arguments(const std::vector<std::string>& more = {}) const;
    Program& engine() { return *engine_; }
    bool await(const std::function<bool()>& done) { return engine_->await(done); }
    bool await_line(const std::string& text);

    /// Makes a container's cgroup `/pods/<name>` with one process in it, as a runtime does.
    CgroupId make_container(const std::string& name, const test::GroupValues& values = {});
    /// Runs the hook as the runtime does when it creates the container, or after it has stopped.
    Ended create(const std::string& name, const Annotations& annotations,
                 const std::vector<std::string>& more = {});
    Ended stopped(const std::string& name, const Annotations& annotations);
    /// make_container() and create().
    Ended run_container(const std::string& name, const Annotations& annotations,
                        const test::GroupValues& values = {});
    /// The state that a runtime gives to hooks.
    std::string state(const std::string& name, const Annotations& annotations,
                      std::string_view status = "creating") const;
    /// Runs the hook until it was in time, for a machine under load.
    Ended run_hook(const std::vector<std::string>& arguments, const std::string& state) const;
    std::vector<std::string> hook_arguments(const std::vector<std::string>& more = {}) const;

    /// Removes a container's cgroup and makes one anew under its path, with another id.
    CgroupId reborn(const std::string& name);

    /// Runs cgtide.
    Ended cli(const std::vector<std::string>& arguments) const;
    /// A call by hand; an error reply is {"error": name, "parameters": ...}.
    nlohmann::json call(std::string_view method, const nlohmann::json& parameters) const;
    nlohmann::json list(bool all = false) const;
    std::vector<std::string> names(bool all = false) const;
    nlohmann::json inspect(const std::string& name) const;
    /// The journal, oldest entry first.
    nlohmann::json journal(const std::string& name) const;
    /// Waits for an entry with this reason and returns it; null where it did not come.
    nlohmann::json await_reason(const std::string& name, const std::string& reason);
    /// The reason of the newest entry; empty where there is none.
    std::string last_reason(const std::string& name) const;
    bool await_last(const std::string& name, const std::string& reason);

    std::string run_dir() const { return dir_.path() + "/run"; }
    std::string socket() const { return run_dir() + "/cgtide.sock"; }
    std::string config() const { return dir_.path() + "/cgtide.toml"; }
    std::string group_dir(const std::string& name) const {
        return tree_.path() + "/sys/fs/cgroup/pods/" + name;
    }
    std::string reclaimed_text(const std::string& name) const {
        return tree_.get("/pods/" + name, "memory.reclaim");
    }
    void write_settings(const std::string& more = "") const;
    /// Names in `<run>/containers`.
    std::vector<std::string> records() const;

    test::TempDir dir_;
    test::FakeTree tree_;
    std::map<std::string, int> pids_;
    std::vector<std::string> wrapper_; ///< what the engine is run by: a program and its options
    std::string socket_option_;        ///< where the engine listens if not in the run folder

private:
    std::optional<Program> engine_;
    int next_pid_ = 4000;
};

} // namespace cgtide::daemon
