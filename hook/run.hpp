#pragma once

#include "cgroup/base/units.hpp"
#include "hook/options.hpp"
#include "oci/state.hpp"

#include <string>

namespace cgtide::hook {

/// What a state asks for: poststop where it is stopped, createRuntime where it has a pid. \returns
/// `malformed` that names the field where it is neither, as in the stages that runtimes run inside
/// the container.
Result<Stage> stage_of(const oci::State& state);

/// The hook itself, on the text of a state: registers or marks the container, or does nothing where
/// it has no annotation of cgtide's. Waits for the engine up to `deadline`.
///
/// \returns what went wrong, as one printable line; empty for nothing.
std::string run(const Options& options, std::string_view text, TimePoint deadline);

} // namespace cgtide::hook
