#pragma once

#include "engine/serve/rights.hpp"
#include "engine/wire/message.hpp"

#include <optional>
#include <string_view>

namespace cgtide::serve {

/// A Varlink error as a reply; `key` and `value` are its one parameter.
wire::Reply error_reply(std::string_view error, std::string_view key, std::string_view value);

/// What is answered without the engine: missing rights, org.varlink.service, and names that nobody
/// knows. nullopt for a method of io.cgtide.Engine that this peer may call. Pure.
std::optional<wire::Reply> answer_alone(const wire::Call& call, Access access);

} // namespace cgtide::serve
