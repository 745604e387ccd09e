#pragma once

#include "engine/cli/options.hpp"
#include "engine/wire/message.hpp"

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>
#include <tl/expected.hpp>

namespace cgtide::cli {

/// Calls the engine. Blocks for at most ten seconds. \returns the reply's parameters; else what to
/// print and the exit status: kUnreachable where no engine answers, kNoSuchContainer, kFailed.
tl::expected<nlohmann::json, Output> ask_engine(const std::string& socket, std::string_view method,
                                                const nlohmann::json& parameters);

/// A Varlink error for people, with its exit status. Pure.
Output explain_error(const wire::Reply& reply);

} // namespace cgtide::cli
