#pragma once

#include <span>
#include <string_view>

namespace cgtide::wire {

inline constexpr std::string_view kInterface = "io.cgtide.Engine";
inline constexpr std::string_view kServiceInterface = "org.varlink.service";

/// What org.varlink.service.GetInfo says of us; the version is the build's.
inline constexpr std::string_view kVendor = "cgtide";
inline constexpr std::string_view kProduct = "cgtide";
inline constexpr std::string_view kUrl = "https://cgtide.io";

/// The description of io.cgtide.Engine in Varlink's interface language: io.cgtide.Engine.varlink.
std::string_view engine_interface();

/// The description of org.varlink.service.
std::string_view service_interface();

/// Full names of the methods.
namespace method {
inline constexpr std::string_view kRegister = "io.cgtide.Engine.Register";
inline constexpr std::string_view kUnregister = "io.cgtide.Engine.Unregister";
inline constexpr std::string_view kList = "io.cgtide.Engine.List";
inline constexpr std::string_view kInspect = "io.cgtide.Engine.Inspect";
inline constexpr std::string_view kExplain = "io.cgtide.Engine.Explain";
inline constexpr std::string_view kIdle = "io.cgtide.Engine.Idle";
inline constexpr std::string_view kRegions = "io.cgtide.Engine.Regions";
inline constexpr std::string_view kRecordRegions = "io.cgtide.Engine.RecordRegions";
inline constexpr std::string_view kStat = "io.cgtide.Engine.Stat";
inline constexpr std::string_view kHistory = "io.cgtide.Engine.History";
inline constexpr std::string_view kWatch = "io.cgtide.Engine.Watch";
inline constexpr std::string_view kAttach = "io.cgtide.Engine.Attach";
inline constexpr std::string_view kDetach = "io.cgtide.Engine.Detach";
inline constexpr std::string_view kReleaseDamon = "io.cgtide.Engine.ReleaseDamon";
inline constexpr std::string_view kPause = "io.cgtide.Engine.Pause";
inline constexpr std::string_view kResume = "io.cgtide.Engine.Resume";
inline constexpr std::string_view kWhatIf = "io.cgtide.Engine.WhatIf";
inline constexpr std::string_view kSuggest = "io.cgtide.Engine.Suggest";
inline constexpr std::string_view kTiers = "io.cgtide.Engine.Tiers";
inline constexpr std::string_view kCapabilities = "io.cgtide.Engine.Capabilities";
inline constexpr std::string_view kGetInfo = "org.varlink.service.GetInfo";
inline constexpr std::string_view kGetInterfaceDescription =
    "org.varlink.service.GetInterfaceDescription";
} // namespace method

/// All methods of io.cgtide.Engine, by full name.
std::span<const std::string_view> engine_methods();

/// Full names of the errors.
namespace error {
inline constexpr std::string_view kNoSuchContainer = "io.cgtide.Engine.NoSuchContainer";
inline constexpr std::string_view kAmbiguousName = "io.cgtide.Engine.AmbiguousName";
inline constexpr std::string_view kRefused = "io.cgtide.Engine.Refused";
inline constexpr std::string_view kPermissionDenied = "io.cgtide.Engine.PermissionDenied";
inline constexpr std::string_view kInvalidParameter = "org.varlink.service.InvalidParameter";
inline constexpr std::string_view kInterfaceNotFound = "org.varlink.service.InterfaceNotFound";
inline constexpr std::string_view kMethodNotFound = "org.varlink.service.MethodNotFound";
} // namespace error

} // namespace cgtide::wire
