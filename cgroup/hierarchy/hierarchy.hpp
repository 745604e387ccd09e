#pragma once

#include "cgroup/base/result.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace cgtide::hierarchy {

/// How a node mounts its cgroup controllers.
enum class Mode : std::uint8_t {
    unified, ///< v2 alone
    hybrid,  ///< v2 beside v1 hierarchies
};

/// The v2 hierarchy of a node.
struct Layout {
    std::string mount;                    ///< where it is mounted: `/sys/fs/cgroup`
    std::string root = "/";               ///< which cgroup is mounted there; "/" outside containers
    Mode mode = Mode::unified;            ///< whether v1 hierarchies stand beside it
    std::vector<std::string> controllers; ///< those that it offers, memory among them
    bool recursive_protection = false;    ///< mount option memory_recursiveprot
    bool nsdelegate = false;              ///< mount option nsdelegate
};

/// The engine's own cgroup, where no service manager gave it one. Its end is remove(), or the
/// destructor.
class OwnGroup {
public:
    OwnGroup() = default;
    OwnGroup(const OwnGroup&) = delete;
    OwnGroup& operator=(const OwnGroup&) = delete;
    virtual ~OwnGroup() = default;

    /// Its v2 path: `/cgtide`.
    virtual const std::string& path() const = 0;

    /// Moves this process back to where it was (the root, if that is gone) and removes the group. A
    /// second call does nothing.
    virtual Result<void> remove() = 0;
};

/// Finds the v2 hierarchy and makes groups in it. All calls from one thread: libcgroup keeps its
/// state in globals. Each reads or writes a handful of files, under 1 ms.
class Hierarchy {
public:
    Hierarchy() = default;
    Hierarchy(const Hierarchy&) = delete;
    Hierarchy& operator=(const Hierarchy&) = delete;
    virtual ~Hierarchy() = default;

    /// \returns `unsupported` where the node has no v2 hierarchy with the memory controller; the
    /// one
    ///          message names what is missing and where the controller is instead.
    virtual Result<Layout> discover() = 0;

    /// Makes the cgroup `/NAME` with the memory controller (one that stands already is taken) and
    /// moves this process into it. `name` is one component. For an engine that runs under no
    /// service manager.
    ///
    /// \returns errors as discover(), `malformed` for a bad name, or what libcgroup said.
    virtual Result<std::unique_ptr<OwnGroup>> make_own_group(const std::string& name) = 0;
};

/// The running kernel's, through libcgroup.
std::unique_ptr<Hierarchy> kernel_hierarchy();

/// The twin for a prepared tree (`--root`): the same answers from plain files below `root`
/// (proc/self/mountinfo and the mount's cgroup.controllers), which libcgroup cannot read. Groups
/// are made as folders with a cgroup.procs.
std::unique_ptr<Hierarchy> file_hierarchy(const std::string& root);

} // namespace cgtide::hierarchy
