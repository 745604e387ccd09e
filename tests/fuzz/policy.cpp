#include "cgroup/base/text.hpp"
#include "oci/policy/compile.hpp"
#include "tests/fuzz/check.hpp"

#include <string>

/// The input is lines of `key=value`.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace cgtide;
    std::string_view text = fuzz::as_text(data, size);
    oci::Annotations annotations;
    while (const auto line = next_line(text)) {
        const std::size_t equals = line->find('=');
        const bool both = equals != std::string_view::npos;
        annotations.emplace(line->substr(0, equals), both ? line->substr(equals + 1) : "");
    }
    auto settings = model::default_settings();
    settings.grants.push_back({"/web", std::nullopt, {model::AppName::stat}, {"eager"}});
    for (const char* path : {"/web/a1", "/other"}) {
        const auto policy = policy::compile(annotations, {"a1", path}, settings);
        const bool granted = std::string_view(path) == "/web/a1";
        fuzz::check(!granted || !policy.runs(model::AppName::reclaim));
        fuzz::check(granted || policy.profile.name == "default");
        for (const auto& fault : policy.faults) {
            fuzz::check(!fault.app || !policy.runs(*fault.app));
            fuzz::check(fault.message.find('\n') == std::string::npos);
        }
    }
    return 0;
}
