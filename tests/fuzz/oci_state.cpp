#include "oci/annotations.hpp"
#include "oci/state.hpp"
#include "tests/fuzz/check.hpp"

#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace cgtide;
    const auto state = oci::parse_state(fuzz::as_text(data, size));
    if (!state) {
        fuzz::check(state.error().message().find('\n') == std::string::npos);
        return 0;
    }
    fuzz::check(!state->id.empty() && state->id.find('/') == std::string::npos);
    fuzz::check(state->bundle.starts_with('/') && state->pid >= 0);
    const auto kept = oci::relevant(state->annotations);
    fuzz::check(oci::has_cgtide_key(kept) == oci::has_cgtide_key(state->annotations));
    fuzz::check(oci::relevant(kept) == kept);
    return 0;
}
