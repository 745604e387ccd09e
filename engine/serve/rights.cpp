#include "engine/serve/rights.hpp"

#include "engine/wire/interface.hpp"

#include <algorithm>
#include <array>

namespace cgtide::serve {

namespace {

using namespace wire;

constexpr std::array kReadMethods{method::kList,
                                  method::kInspect,
                                  method::kExplain,
                                  method::kIdle,
                                  method::kStat,
                                  method::kHistory,
                                  method::kWatch,
                                  method::kWhatIf,
                                  method::kSuggest,
                                  method::kTiers,
                                  method::kCapabilities,
                                  method::kGetInfo,
                                  method::kGetInterfaceDescription};

} // namespace

Access access_of(const Peer& peer, std::optional<gid_t> group) {
    if (peer.uid == 0) {
        return Access::all;
    }
    const bool member =
        group && (peer.gid == *group ||
                  std::find(peer.groups.begin(), peer.groups.end(), *group) != peer.groups.end());
    return member ? Access::read : Access::none;
}

Access access_for(std::string_view method) {
    const bool reads =
        std::find(kReadMethods.begin(), kReadMethods.end(), method) != kReadMethods.end();
    return reads ? Access::read : Access::all;
}

std::string_view to_string(Access access) {
    switch (access) {
    case Access::none:
        return "anybody";
    case Access::read:
        return "root or group cgtide";
    case Access::all:
        break;
    }
    return "root";
}

} // namespace cgtide::serve
