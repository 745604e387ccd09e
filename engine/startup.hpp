#pragma once

#include "cgroup/hierarchy/hierarchy.hpp"
#include "engine/act/pageout.hpp"
#include "engine/act/reclaim.hpp"
#include "engine/core/engine.hpp"
#include "oci/record.hpp"

#include <memory>
#include <string>
#include <vector>

namespace cgtide {

/// What cgtided was called with.
struct Arguments {
    std::string root = "/";
    std::string run_dir = std::string(oci::kDefaultRunDir);
    std::string config = "/etc/cgtide/cgtide.toml";
    std::string socket; ///< empty: in the run folder
    std::string sandbox = "enforce";
    bool probe = false;
    bool cleanup = false;
    bool config_given = false;
};

/// What is known of the node before the engine is built.
struct Node {
    hierarchy::Layout layout;
    KernelRoots roots;
    std::unique_ptr<hierarchy::OwnGroup> own_group; ///< none below a service manager
    std::string engine_path;
    act::ReclaimSupport reclaim;
    act::PageoutSupport pageout{};
};

/// Opens the hierarchy and the roots, and takes a cgroup for the engine, but for a probe. Blocks
/// briefly. \returns why the engine cannot start here.
Result<Node> open_node(const Arguments& arguments);

/// What `cgtide doctor` says of the node: what was probed before the engine is there.
std::vector<model::Capability> capabilities_of(const Node& node);

/// The settings' file; the default ones where a default file is missing. \returns an error that
/// names it.
Result<model::Settings> load_settings(const Arguments& arguments);

/// What the engine is built from, but for its sensors of idle times. Takes the roots out of `node`.
Result<core::EngineOptions> engine_options(const Arguments& arguments, Node& node);

/// Opens what tells idle times, where it is there and wanted: for DAMON's regions the programs that
/// tell of them, and MGLRU's file. Takes privileges. Says in `options` what is missing.
void open_sensors(const Arguments& arguments, core::EngineOptions& options);

} // namespace cgtide
