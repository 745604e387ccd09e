#include "engine/wire/interface.hpp"

#include <regex>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace cgtide::wire {
namespace {

std::string without_comments(std::string_view text) {
    return std::regex_replace(std::string(text), std::regex("#[^\n]*"), "");
}

std::set<std::string> names(const std::string& text, const std::string& keyword) {
    std::set<std::string> found;
    const std::regex pattern(keyword + "\\s+([A-Z][A-Za-z0-9]*)\\s*\\(");
    for (std::sregex_iterator at(text.begin(), text.end(), pattern), end; at != end; ++at) {
        EXPECT_TRUE(found.insert((*at)[1]).second) << (*at)[1] << " stands there twice";
    }
    return found;
}

TEST(EngineInterface, DescribesEachMethodThatIsCalledByName) {
    const std::set<std::string> described = names(without_comments(engine_interface()), "method");
    std::set<std::string> called;
    for (const std::string_view method : engine_methods()) {
        called.emplace(method.substr(kInterface.size() + 1));
    }
    EXPECT_EQ(described, called);
}

TEST(EngineInterface, DescribesEachErrorThatIsAnsweredByName) {
    const std::set<std::string> described = names(without_comments(engine_interface()), "error");
    EXPECT_EQ(described, (std::set<std::string>{"NoSuchContainer", "AmbiguousName", "Refused",
                                                "PermissionDenied"}));
    for (const std::string& name : described) {
        const std::string full = std::string(kInterface) + "." + name;
        EXPECT_TRUE(full == error::kNoSuchContainer || full == error::kAmbiguousName ||
                    full == error::kRefused || full == error::kPermissionDenied);
    }
}

TEST(EngineInterface, DefinesEachTypeThatItUses) {
    const std::string text = without_comments(engine_interface());
    const std::set<std::string> types = names(text, "type");
    const std::regex use("(:\\s*|[\\]?])([A-Z][A-Za-z0-9]*)");
    std::set<std::string> used;
    for (std::sregex_iterator at(text.begin(), text.end(), use), end; at != end; ++at) {
        used.insert((*at)[2]);
    }
    EXPECT_EQ(used, types);
}

} // namespace
} // namespace cgtide::wire
