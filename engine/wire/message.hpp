#pragma once

#include "cgroup/base/result.hpp"

#include <cstddef>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace cgtide::wire {

/// Bounds of one message, its terminating NUL not counted.
inline constexpr std::size_t kMaxCallBytes = 1U << 20U;
inline constexpr std::size_t kMaxReplyBytes = 16U << 20U;
/// Objects and arrays inside one another, the message itself included.
inline constexpr std::size_t kMaxDepth = 32;

/// A Varlink call.
struct Call {
    std::string method;            ///< interface and method: `io.cgtide.Engine.List`
    std::string parameters = "{}"; ///< a JSON object as text
    bool more = false;             ///< the caller takes several replies
    bool oneway = false;           ///< the caller wants no reply
    bool upgrade = false;          ///< the caller wants to speak another protocol afterwards

    bool operator==(const Call&) const = default;
};

/// A Varlink reply.
struct Reply {
    std::string parameters = "{}"; ///< a JSON object as text
    std::string error{};           ///< interface and error; empty for success
    bool continues = false;        ///< more replies follow

    bool operator==(const Reply&) const = default;
};

/// Parses a JSON object strictly.
///
/// \returns as oci::parse_strict(): `malformed` for what is no JSON, no object, no UTF-8, or has a
/// duplicate key or a NUL in a string (both named); `out_of_range` beyond kMaxDepth or
/// kMaxReplyBytes.
Result<nlohmann::json> parse_object(std::string_view text);

/// Compact JSON; bytes that are no UTF-8 become U+FFFD, so that it never fails.
std::string to_text(const nlohmann::json& value);

/// A message with its terminating NUL. `parameters` must be the text of a JSON object.
std::string encode_call(const Call& call);
std::string encode_reply(const Reply& reply);

/// A message without its NUL. Fields that Varlink does not name are skipped.
///
/// \returns the errors of parse_object; `malformed` with the field's name where it has a wrong type
/// or `method` is missing.
Result<Call> decode_call(std::string_view frame);
Result<Reply> decode_reply(std::string_view frame);

} // namespace cgtide::wire
