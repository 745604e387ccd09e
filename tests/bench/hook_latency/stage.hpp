#pragma once

#include "tests/support/temp_dir.hpp"

#include <string>
#include <vector>

#include <sys/types.h>

namespace cgtide::bench {

/// A fake node for the hook: a tree with one container, and three run folders whose engines answer,
/// do not exist, and never answer.
class Stage {
public:
    Stage();
    ~Stage();
    Stage(const Stage&) = delete;
    Stage& operator=(const Stage&) = delete;

    std::string root() const { return dir_.path() + "/root"; }
    std::string answering() const { return dir_.path() + "/answering"; }
    std::string absent() const { return dir_.path() + "/absent"; }
    std::string hung() const { return dir_.path() + "/hung"; }

    /// The state that a runtime writes for the container.
    static std::string state();

private:
    test::TempDir dir_;
    pid_t responder_ = -1;
    int hung_ = -1; ///< listens and never accepts
};

/// One run of a program: wall time between its start and the end of the wait for it, in
/// microseconds. Throws where it does not start or exits with another status than 0.
double run_once(const std::vector<std::string>& command, const std::string& input);

/// The system calls that a program makes from its execve on, counted with ptrace(2).
int count_calls(const std::vector<std::string>& command, const std::string& input);

} // namespace cgtide::bench
