#pragma once

#include "cgroup/base/dir.hpp"
#include "cgroup/base/result.hpp"

#include <string>
#include <vector>

namespace cgtide::install {

/// How runtimes call the hook.
struct HookOptions {
    std::string path = "/usr/libexec/cgtide/cgtide-hook"; ///< absolute, in the host's file system
    std::vector<std::string> args; ///< after args[0], such as `--run-dir` and its value
    /// Seconds; runtimes kill the hook then and fail the container. The hook ends by itself far
    /// sooner, once it runs: this is for a disk that is slow to read it from.
    int timeout = 10;
};

/// What to do with a bundle.
struct BundleEdit {
    bool remove = false;  ///< take cgtide's hooks out instead
    bool dry_run = false; ///< say what would change, write nothing
};

/// What was changed, or with dry_run would be. The lists hold names of stages.
struct BundleChange {
    std::vector<std::string> added;
    std::vector<std::string> updated; ///< stood there with another path, arguments or timeout
    std::vector<std::string> removed;
    std::string text; ///< config.json as it is afterwards

    bool changed() const { return !added.empty() || !updated.empty() || !removed.empty(); }
};

/// The `hooks` of an OCI config.json: createRuntime and poststop, as indented JSON that ends in a
/// newline.
std::string stanza(const HookOptions& options);

/// Puts the hooks into `config.json` of a bundle, once, or takes them out. Everything else stays,
/// with the order of keys and the indentation; mode and owner of the file too. The file is replaced
/// atomically, and only where something changes. An entry is cgtide's where the last component of
/// its path or of its args[0] is `cgtide-hook`; stages that removal leaves empty go too.
///
/// \returns `malformed` with the field's name for text that is no JSON object, duplicate keys, a
/// `hooks` that is no object and stages that are no array of objects; else what reading or writing
/// the file returned. Blocks as the file system does.
Result<BundleChange> edit_bundle(const Dir& bundle, const HookOptions& options, BundleEdit edit);

} // namespace cgtide::install
