#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace cgtide::model {

/// The apps that a container can be given, in the order in which they step: of two that want the
/// same memory the first has its turn.
enum class AppName : std::uint8_t { stat, tier, numa, reclaim };

inline constexpr std::array<std::string_view, 4> kAppNames{"stat", "tier", "numa", "reclaim"};
inline constexpr std::array<AppName, 4> kApps{AppName::stat, AppName::tier, AppName::numa,
                                              AppName::reclaim};

/// Those that a container may be given without a grant.
inline constexpr std::array<AppName, 2> kFreeApps{AppName::stat, AppName::reclaim};

constexpr std::string_view to_string(AppName app) {
    return kAppNames[static_cast<std::size_t>(app)];
}

constexpr std::optional<AppName> app_name(std::string_view text) {
    for (const AppName app : kApps) {
        if (to_string(app) == text) {
            return app;
        }
    }
    return std::nullopt;
}

} // namespace cgtide::model
