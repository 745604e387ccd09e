#include "engine/model/policy.hpp"

#include <algorithm>

namespace cgtide::model {

std::string_view to_string(Pages pages) {
    switch (pages) {
    case Pages::automatic:
        return "automatic";
    case Pages::file:
        return "file";
    case Pages::anon:
        return "anon";
    case Pages::all:
        return "all";
    }
    return "unknown";
}

Bytes bytes_of(const Amount& amount, Bytes all) {
    if (const auto* bytes = std::get_if<Bytes>(&amount)) {
        return *bytes;
    }
    const double share = std::get<BasisPoints>(amount).ratio();
    return {static_cast<std::uint64_t>(static_cast<double>(all.count) * share)};
}

bool Policy::runs(AppName app) const {
    return std::find(apps.begin(), apps.end(), app) != apps.end();
}

Settings default_settings() {
    Settings settings;
    settings.profiles.emplace("default", Profile{});
    settings.profiles.emplace("eager", Profile{.name = "eager",
                                               .ratio = 0.02,
                                               .max = BasisPoints{200.0},
                                               .period = Microseconds(2'000'000),
                                               .cpu = BasisPoints{500.0}});
    return settings;
}

} // namespace cgtide::model
