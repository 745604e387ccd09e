#include "engine/serve/service.hpp"

#include "engine/wire/interface.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace cgtide::serve {

namespace {

using nlohmann::json;
using namespace wire;

Reply describe(const Call& call) {
    const auto parameters = parse_object(call.parameters);
    const auto at = parameters ? parameters->find("interface") : json::const_iterator();
    if (!parameters || at == parameters->end() || !at->is_string()) {
        return error_reply(error::kInvalidParameter, "parameter", "interface");
    }
    const auto& name = at->get_ref<const std::string&>();
    if (name != kInterface && name != kServiceInterface) {
        return error_reply(error::kInterfaceNotFound, "interface", name);
    }
    const auto text = name == kInterface ? engine_interface() : service_interface();
    return {to_text({{"description", text}})};
}

Reply info() {
    return {to_text({{"vendor", kVendor},
                     {"product", kProduct},
                     {"version", CGTIDE_VERSION},
                     {"url", kUrl},
                     {"interfaces", {kServiceInterface, kInterface}}})};
}

Reply unknown(const std::string& method) {
    const std::string interface = method.substr(0, std::min(method.rfind('.'), method.size()));
    if (interface != kInterface && interface != kServiceInterface) {
        return error_reply(error::kInterfaceNotFound, "interface", interface);
    }
    return error_reply(error::kMethodNotFound, "method", method);
}

} // namespace

Reply error_reply(std::string_view error, std::string_view key, std::string_view value) {
    return {to_text({{std::string(key), value}}), std::string(error)};
}

std::optional<Reply> answer_alone(const Call& call, Access access) {
    if (access == Access::none) {
        return error_reply(error::kPermissionDenied, "needs", to_string(Access::read));
    }
    const auto methods = engine_methods();
    const bool ours = std::find(methods.begin(), methods.end(), call.method) != methods.end();
    const bool service =
        call.method == method::kGetInfo || call.method == method::kGetInterfaceDescription;
    if (!ours && !service) {
        return unknown(call.method);
    }
    const Access needed = access_for(call.method);
    if (access < needed) {
        return error_reply(error::kPermissionDenied, "needs", to_string(needed));
    }
    if (call.upgrade) {
        return error_reply(error::kInvalidParameter, "parameter", "upgrade");
    }
    if (ours) {
        return std::nullopt;
    }
    return call.method == method::kGetInfo ? info() : describe(call);
}

} // namespace cgtide::serve
