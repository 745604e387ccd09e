#pragma once

#include "cgroup/base/dir.hpp"

#include <string>
#include <string_view>

namespace cgtide::test {

/// A folder of a test's own, removed with all that is in it at the end. Fake kernel trees and run
/// folders live in one.
class TempDir {
public:
    TempDir();
    ~TempDir();
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;

    const std::string& path() const { return path_; }

    /// Opens the folder, or one below it.
    Dir dir(const std::string& below = "") const;

    /// Writes a file (its folders are made as needed), replacing what stood there.
    void write(const std::string& name, std::string_view text) const;

    /// Makes a folder and its parents; returns its full path.
    std::string make(const std::string& name) const;

    /// The text of a file; throws where it is missing.
    std::string read(const std::string& name) const;

private:
    std::string path_;
};

} // namespace cgtide::test
