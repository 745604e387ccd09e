#pragma once

#include "cgroup/base/units.hpp"
#include "engine/cli/options.hpp"
#include "engine/wire/message.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>
#include <tl/expected.hpp>

namespace cgtide::cli {

/// How long a reply of the engine is waited for.
inline constexpr std::chrono::seconds kPatience{10};

/// Calls the engine. Blocks for at most `patience`. \returns the reply's parameters; else what to
/// print and the exit status: kUnreachable where no engine answers, kNoSuchContainer, kFailed.
tl::expected<nlohmann::json, Output> ask_engine(const std::string& socket, std::string_view method,
                                                const nlohmann::json& parameters,
                                                std::chrono::seconds patience = kPatience);

/// Calls the engine with `more` and gives each reply to `take`, until that returns false,
/// `deadline`, SIGINT or SIGTERM, or until the engine ends it. \returns what to print, and kOk for
/// all but the engine's own end: what ended it, as ask_engine() would tell it. Blocks for as long
/// as that takes.
Output follow_engine(const std::string& socket, std::string_view method,
                     const nlohmann::json& parameters, TimePoint deadline,
                     const std::function<bool(const nlohmann::json&)>& take);

/// A Varlink error for people, with its exit status. Pure.
Output explain_error(const wire::Reply& reply);

} // namespace cgtide::cli
