#pragma once

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace cgtide::serve {

/// The parameters of a call, read by name. After the last one fault() tells what was wrong.
class Parameters {
public:
    Parameters(const std::string& text, std::initializer_list<std::string_view> known);
    ~Parameters();
    Parameters(const Parameters&) = delete;
    Parameters& operator=(const Parameters&) = delete;

    std::string text(const std::string& key);
    /// Empty where it is missing or null.
    std::string optional_text(const std::string& key);
    /// An object, as text.
    std::string object(const std::string& key);
    /// false where it is missing or null.
    bool flag(const std::string& key);
    /// 0 where it is missing or null.
    std::size_t count(const std::string& key);
    void refuse(const std::string& key) { fault_ = key; }

    /// The parameter that is missing, wrong or unknown; empty where all is well.
    const std::string& fault() const { return fault_; }

private:
    const nlohmann::json* find(const std::string& key) const;

    std::unique_ptr<const nlohmann::json> object_;
    std::string fault_;
};

} // namespace cgtide::serve
