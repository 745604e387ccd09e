#pragma once

#include "tests/support/temp_dir.hpp"

#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>

namespace cgtide::hook {

/// How the real hook ended.
struct Ended {
    int status = -1; ///< exit status; -1 for a signal
    std::string output;
    std::string errors;
};

/// An engine's socket that answers as it is told and keeps what it was sent.
class Engine {
public:
    enum class Manner {
        answers,
        hangs,        ///< listens and never accepts
        hangs_up,     ///< closes without an answer
        talks_rubbish ///< answers what is no Varlink
    };

    Engine(const std::string& path, Manner manner, std::string reply = R"({"parameters":{}})",
           int backlog = 8);
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    /// Stops serving and returns the calls that came, without their NULs.
    std::vector<std::string> calls();

private:
    void serve();

    int listener_;
    Manner manner_;
    std::string reply_;
    std::vector<std::string> calls_;
    std::thread thread_;
};

/// A fake tree with one container (pid 4242 in /web/a1), a run folder, and the hook's binary.
class HookProgram : public testing::Test {
protected:
    HookProgram();

    /// A createRuntime state of the container, with `extra` in front of its fields.
    static std::string state(const std::string& extra = "",
                             const std::string& apps = R"("cgtide.io/apps":"stat")");
    static std::string stopped();

    /// Runs the hook on `input` with --root, --run-dir, the longest budget (a busy machine and a
    /// sanitizer need it) and `more`, in an empty environment.
    Ended run(const std::string& input, const std::vector<std::string>& more = {});
    /// Runs it with exactly these arguments.
    static Ended run_plain(const std::string& input, std::vector<std::string> args);

    std::string run_dir() const { return dir_.path() + "/run"; }
    std::string socket() const { return run_dir() + "/cgtide.sock"; }
    /// The names in `<run>/containers`; empty where the folder is missing.
    std::vector<std::string> files() const;

    test::TempDir dir_;
    /// FNV-1a over "/b/a1", a NUL and "a1".
    const std::string key_ = "72262115b821609b";
};

} // namespace cgtide::hook
