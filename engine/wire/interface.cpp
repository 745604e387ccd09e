#include "engine/wire/interface.hpp"

#include <array>

namespace cgtide::wire {

namespace {

constexpr std::array kMethods{
    method::kRegister, method::kUnregister,    method::kList,  method::kInspect,
    method::kExplain,  method::kIdle,          method::kStat,  method::kHistory,
    method::kRegions,  method::kRecordRegions, method::kWatch, method::kAttach,
    method::kDetach,   method::kReleaseDamon,  method::kPause, method::kResume,
    method::kWhatIf,   method::kSuggest,       method::kTiers, method::kCapabilities};

} // namespace

std::span<const std::string_view> engine_methods() {
    return kMethods;
}

} // namespace cgtide::wire
