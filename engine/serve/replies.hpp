#pragma once

#include "cgroup/base/result.hpp"
#include "engine/wire/message.hpp"

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace cgtide::serve {

/// What the engine says as replies of io.cgtide.Engine. Pure.
wire::Reply success(const nlohmann::json& parameters);

/// InvalidParameter.
wire::Reply invalid(std::string_view parameter);

/// Refused with a reason code and words.
wire::Reply refused(std::string_view reason, std::string_view message);

/// Refused with the reason code of an error that is no Varlink error of its own.
wire::Reply refusal(const Error& problem);

/// The error of a call that named a container: NoSuchContainer, AmbiguousName with the names that
/// match, or a refusal.
wire::Reply lookup_error(const Error& problem, const std::string& name);

/// Why Control::idle() has nothing to tell, in words.
std::string why_no_idle_view(const Error& problem);

/// Text, or null where it is empty.
nlohmann::json text_or_null(const std::string& text);

} // namespace cgtide::serve
