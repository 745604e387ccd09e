#include "engine/serve/rights.hpp"
#include "engine/wire/interface.hpp"

#include <gtest/gtest.h>

namespace cgtide::serve {
namespace {

constexpr gid_t kGroup = 990;

TEST(Rights, RootMayDoAll) {
    EXPECT_EQ(access_of({0, 0, {}, 1}, kGroup), Access::all);
    EXPECT_EQ(access_of({0, 0, {}, 1}, std::nullopt), Access::all);
}

TEST(Rights, MembersOfTheGroupMayRead) {
    EXPECT_EQ(access_of({1000, kGroup, {}, 1}, kGroup), Access::read);
    EXPECT_EQ(access_of({1000, 1000, {4, kGroup}, 1}, kGroup), Access::read);
}

TEST(Rights, OthersMayDoNothing) {
    EXPECT_EQ(access_of({1000, 1000, {4, 24}, 1}, kGroup), Access::none);
    EXPECT_EQ(access_of({1000, 0, {0}, 1}, kGroup), Access::none);
    EXPECT_EQ(access_of({1000, kGroup, {kGroup}, 1}, std::nullopt), Access::none);
    EXPECT_EQ(access_of(Peer{}, kGroup), Access::none);
}

TEST(Rights, WhatChangesAnythingIsRoots) {
    namespace method = wire::method;
    for (const auto name :
         {method::kRegister, method::kUnregister, method::kAttach, method::kDetach,
          method::kReleaseDamon, method::kPause, method::kResume}) {
        EXPECT_EQ(access_for(name), Access::all) << name;
    }
    for (const auto name :
         {method::kList, method::kInspect, method::kExplain, method::kIdle, method::kStat,
          method::kHistory, method::kWatch, method::kWhatIf, method::kSuggest, method::kTiers,
          method::kCapabilities, method::kGetInfo}) {
        EXPECT_EQ(access_for(name), Access::read) << name;
    }
}

TEST(Rights, AMethodThatNobodyThoughtOfIsRoots) {
    EXPECT_EQ(access_for("io.cgtide.Engine.Regions"), Access::all);
    EXPECT_EQ(access_for(""), Access::all);
}

} // namespace
} // namespace cgtide::serve
