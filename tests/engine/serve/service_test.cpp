#include "engine/serve/service.hpp"
#include "engine/wire/interface.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace cgtide::serve {
namespace {

using nlohmann::json;
namespace method = wire::method;
namespace error = wire::error;

wire::Call call(std::string_view name, std::string parameters = "{}") {
    return {std::string(name), std::move(parameters)};
}

TEST(Service, LeavesTheEnginesMethodsToTheEngine) {
    for (const auto name : wire::engine_methods()) {
        EXPECT_FALSE(answer_alone(call(name), Access::all)) << name;
    }
}

TEST(Service, TellsWhatItIs) {
    const auto reply = answer_alone(call(method::kGetInfo), Access::read);
    ASSERT_TRUE(reply);
    const json info = json::parse(reply->parameters);
    EXPECT_EQ(info["version"], CGTIDE_VERSION);
    EXPECT_EQ(info["interfaces"], json({"org.varlink.service", "io.cgtide.Engine"}));
}

TEST(Service, DescribesItsInterfaces) {
    for (const auto name : {wire::kInterface, wire::kServiceInterface}) {
        const auto reply = answer_alone(
            call(method::kGetInterfaceDescription, json{{"interface", name}}.dump()), Access::read);
        ASSERT_TRUE(reply);
        const auto text = json::parse(reply->parameters)["description"].get<std::string>();
        EXPECT_NE(text.find("interface " + std::string(name) + "\n"), std::string::npos);
    }
    EXPECT_EQ(
        answer_alone(call(method::kGetInterfaceDescription, R"({"interface":"a.b"})"), Access::read)
            ->error,
        error::kInterfaceNotFound);
    for (const char* parameters : {"{}", R"({"interface":1})"}) {
        EXPECT_EQ(
            answer_alone(call(method::kGetInterfaceDescription, parameters), Access::read)->error,
            error::kInvalidParameter);
    }
}

TEST(Service, NamesWhatNobodyKnows) {
    EXPECT_EQ(answer_alone(call("io.cgtide.Engine.Fly"), Access::all)->error,
              error::kMethodNotFound);
    for (const char* name : {"com.example.A.B", "List", "", "."}) {
        EXPECT_EQ(answer_alone(call(name), Access::all)->error, error::kInterfaceNotFound) << name;
    }
}

TEST(Service, APeerWithoutRightsLearnsNothing) {
    for (const auto name : {method::kGetInfo, method::kList, method::kRegister}) {
        const auto reply = answer_alone(call(name), Access::none);
        ASSERT_TRUE(reply) << name;
        EXPECT_EQ(reply->error, error::kPermissionDenied);
        EXPECT_EQ(json::parse(reply->parameters)["needs"], "root or group cgtide");
    }
    EXPECT_EQ(answer_alone(call("io.cgtide.Engine.Fly"), Access::none)->error,
              error::kPermissionDenied);
}

TEST(Service, AReaderMayNotChangeAnything) {
    for (const auto name : {method::kRegister, method::kUnregister, method::kAttach,
                            method::kDetach, method::kPause, method::kResume}) {
        const auto reply = answer_alone(call(name), Access::read);
        ASSERT_TRUE(reply) << name;
        EXPECT_EQ(reply->error, error::kPermissionDenied);
        EXPECT_EQ(json::parse(reply->parameters)["needs"], "root");
    }
    EXPECT_FALSE(answer_alone(call(method::kList), Access::read));
}

TEST(Service, RefusesToUpgrade) {
    wire::Call upgrade = call(method::kList);
    upgrade.upgrade = true;
    EXPECT_EQ(answer_alone(upgrade, Access::all)->error, error::kInvalidParameter);
}

} // namespace
} // namespace cgtide::serve
