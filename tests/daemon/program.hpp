#pragma once

#include "cgroup/base/unique_fd.hpp"
#include "tests/support/temp_dir.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace cgtide::daemon {

/// Long enough that a test which passes never meets it.
inline constexpr std::chrono::seconds kPatience{60};

/// How a program ended.
struct Ended {
    int status = -1; ///< exit status, or minus the signal
    std::string output;
    std::string errors;
};

/// A program that runs beside the test, in an environment of its own, its output in files. It is
/// killed at the end of its scope where it still runs.
class Program {
public:
    /// Starts `arguments[0]` with `input` as its standard input.
    explicit Program(const std::vector<std::string>& arguments, const std::string& input = "");
    ~Program();
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;

    pid_t pid() const { return pid_; }
    void signal(int number) const;

    /// Waits until it has ended.
    Ended wait();

    /// Asks `done` again each time that it has written to its standard error, and every 50 ms, for
    /// not all that it does shows there. \returns false where it ended, or patience did, before.
    bool await(const std::function<bool()>& done);

    /// What it wrote to its standard output so far.
    std::string output() const { return files_.read("output"); }

    /// What it wrote to its standard error so far.
    std::string errors() const { return files_.read("errors"); }

private:
    bool ended(int timeout_ms);

    test::TempDir files_;
    UniqueFd watch_;
    UniqueFd handle_; ///< pidfd
    pid_t pid_ = -1;
    bool reaped_ = false;
    int status_ = -1;
};

/// Runs a program to its end.
Ended run(const std::vector<std::string>& arguments, const std::string& input = "");

} // namespace cgtide::daemon
