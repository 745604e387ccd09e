#include "engine/wire/message.hpp"

#include "oci/strict_json.hpp"

#include <string>
#include <utility>

#include <nlohmann/json.hpp>

namespace cgtide::wire {

namespace {

using nlohmann::json;

constexpr std::string_view kOp = "varlink message";

tl::unexpected<Error> wrong(std::string_view field, std::string_view expected) {
    return fail(Errc::malformed, kOp,
                "field " + std::string(field) + " must be " + std::string(expected));
}

Result<bool> flag(const json& message, const char* name) {
    const auto at = message.find(name);
    if (at == message.end() || at->is_null()) {
        return false;
    }
    if (!at->is_boolean()) {
        return wrong(name, "a boolean");
    }
    return at->get<bool>();
}

Result<std::string> parameters_of(const json& message) {
    const auto at = message.find("parameters");
    if (at == message.end() || at->is_null()) {
        return "{}";
    }
    if (!at->is_object()) {
        return wrong("parameters", "an object");
    }
    return to_text(*at);
}

Result<std::string> text_of(const json& message, const char* name) {
    const auto at = message.find(name);
    if (at == message.end()) {
        return std::string();
    }
    if (!at->is_string()) {
        return wrong(name, "a string");
    }
    return at->get<std::string>();
}

} // namespace

Result<json> parse_object(std::string_view text) {
    return oci::parse_strict(text, {kOp, kMaxReplyBytes, kMaxDepth});
}

std::string to_text(const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string encode_call(const Call& call) {
    std::string text = R"({"method":)" + to_text(call.method) + R"(,"parameters":)";
    text += call.parameters;
    text += call.more ? R"(,"more":true)" : "";
    text += call.oneway ? R"(,"oneway":true)" : "";
    text += call.upgrade ? R"(,"upgrade":true)" : "";
    text += '}';
    text += '\0';
    return text;
}

std::string encode_reply(const Reply& reply) {
    std::string text = "{";
    text += reply.error.empty() ? "" : R"("error":)" + to_text(reply.error) + ',';
    text += R"("parameters":)" + reply.parameters;
    text += reply.continues ? R"(,"continues":true)" : "";
    text += '}';
    text += '\0';
    return text;
}

Result<Call> decode_call(std::string_view frame) {
    auto message = parse_object(frame);
    if (!message) {
        return tl::unexpected(std::move(message.error()));
    }
    auto method = text_of(*message, "method");
    if (!method) {
        return tl::unexpected(std::move(method.error()));
    }
    if (method->empty()) {
        return wrong("method", "there");
    }
    auto parameters = parameters_of(*message);
    if (!parameters) {
        return tl::unexpected(std::move(parameters.error()));
    }
    Call call{std::move(*method), std::move(*parameters)};
    const std::pair<const char*, bool*> flags[] = {
        {"more", &call.more}, {"oneway", &call.oneway}, {"upgrade", &call.upgrade}};
    for (const auto& [name, target] : flags) {
        auto value = flag(*message, name);
        if (!value) {
            return tl::unexpected(std::move(value.error()));
        }
        *target = *value;
    }
    return call;
}

Result<Reply> decode_reply(std::string_view frame) {
    auto message = parse_object(frame);
    if (!message) {
        return tl::unexpected(std::move(message.error()));
    }
    auto error = text_of(*message, "error");
    if (!error) {
        return tl::unexpected(std::move(error.error()));
    }
    auto parameters = parameters_of(*message);
    if (!parameters) {
        return tl::unexpected(std::move(parameters.error()));
    }
    auto continues = flag(*message, "continues");
    if (!continues) {
        return tl::unexpected(std::move(continues.error()));
    }
    return Reply{std::move(*parameters), std::move(*error), *continues};
}

} // namespace cgtide::wire
