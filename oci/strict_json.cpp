#include "oci/strict_json.hpp"

#include "cgroup/base/text.hpp"

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace cgtide::oci {

namespace {

constexpr std::size_t kShownBytes = 64;

/// Builds the document event by event and stops at the first thing that strictness forbids.
template <class Json>
class Builder {
public:
    using number_integer_t = typename Json::number_integer_t;
    using number_unsigned_t = typename Json::number_unsigned_t;
    using number_float_t = typename Json::number_float_t;
    using string_t = typename Json::string_t;
    using binary_t = typename Json::binary_t;

    Builder(Json& root, const JsonLimits& limits) : root_(root), limits_(limits) {}

    bool null() { return place(nullptr); }
    bool boolean(bool value) { return place(value); }
    bool number_integer(number_integer_t value) { return place(value); }
    bool number_unsigned(number_unsigned_t value) { return place(value); }
    bool number_float(number_float_t value, const string_t& /*text*/) { return place(value); }
    bool binary(binary_t& /*value*/) { return false; }

    bool string(string_t& value) {
        if (value.find('\0') != string_t::npos) {
            return refuse(Errc::malformed, path() + ": holds a NUL");
        }
        return place(std::move(value));
    }

    bool key(string_t& name) {
        if (name.find('\0') != string_t::npos) {
            return refuse(Errc::malformed, path() + ": a key holds a NUL");
        }
        Json& object = *open_.back();
        const auto [at, fresh] = object.emplace(name, nullptr);
        keys_.back() = std::move(name);
        if (!fresh) {
            return refuse(Errc::malformed, path() + ": duplicate key");
        }
        slot_ = &at.value();
        return true;
    }

    bool start_object(std::size_t /*size*/) { return enter(Json::object()); }
    bool start_array(std::size_t /*size*/) {
        if (open_.empty()) {
            return refuse(Errc::malformed, "is an array, not an object");
        }
        return enter(Json::array());
    }
    bool end_object() { return leave(); }
    bool end_array() { return leave(); }

    bool parse_error(std::size_t position, const std::string& token,
                     const nlohmann::detail::exception& why) {
        const bool number = why.id == kNumberOverflow;
        return refuse(number ? Errc::out_of_range : Errc::malformed,
                      (open_.empty() ? std::string() : path() + ": ") +
                          (number ? "number too large" : "no valid JSON") + " at byte " +
                          std::to_string(position) + " near '" + printable(token, kShownBytes) +
                          "'");
    }

    std::optional<Error> error() && { return std::move(error_); }

private:
    static constexpr int kNumberOverflow = 406;

    template <class Value>
    bool place(Value&& value) {
        if (open_.empty()) {
            return refuse(Errc::malformed, "is no JSON object");
        }
        next() = Json(std::forward<Value>(value));
        return true;
    }

    /// Where the next value goes: a new element of the open array, or the slot of the last key.
    Json& next() {
        Json& container = *open_.back();
        if (container.is_array()) {
            container.push_back(nullptr);
            return container.back();
        }
        return *slot_;
    }

    bool enter(Json&& empty) {
        if (open_.size() >= limits_.max_depth) {
            return refuse(Errc::out_of_range, path() + ": nested deeper than " +
                                                  std::to_string(limits_.max_depth) + " levels");
        }
        Json& here = open_.empty() ? root_ : next();
        here = std::move(empty);
        open_.push_back(&here);
        keys_.emplace_back();
        return true;
    }

    bool leave() {
        open_.pop_back();
        keys_.pop_back();
        return true;
    }

    std::string path() const {
        std::string text;
        for (std::size_t i = 0; i < open_.size(); ++i) {
            const bool array = open_[i]->is_array();
            if (!text.empty() && !array && !keys_[i].empty()) {
                text += '.';
            }
            text += array ? "[]" : printable(keys_[i]);
        }
        return text;
    }

    bool refuse(Errc code, std::string detail) {
        error_ = Error{make_error_code(code), limits_.what, std::move(detail)};
        return false;
    }

    Json& root_;
    const JsonLimits& limits_;
    Json* slot_ = nullptr;
    std::vector<Json*> open_;       ///< containers from the root to where we are
    std::vector<std::string> keys_; ///< the key last seen in each of them
    std::optional<Error> error_;
};

template <class Json>
Result<Json> parse(std::string_view text, const JsonLimits& limits) {
    if (text.size() > limits.max_bytes) {
        return fail(Errc::out_of_range, limits.what,
                    "is longer than " + std::to_string(limits.max_bytes) + " bytes");
    }
    if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
        return fail(Errc::malformed, limits.what, "is empty");
    }
    Json root;
    Builder<Json> builder(root, limits);
    if (!Json::sax_parse(text.data(), text.data() + text.size(), &builder)) {
        if (auto error = std::move(builder).error()) {
            return tl::unexpected(std::move(*error));
        }
        return fail(Errc::malformed, limits.what, "is no JSON");
    }
    return root;
}

template <class Json>
std::string dump(const Json& value) {
    return printable(value.dump(-1, ' ', false, Json::error_handler_t::replace), kShownBytes);
}

} // namespace

Result<nlohmann::json> parse_strict(std::string_view text, const JsonLimits& limits) {
    return parse<nlohmann::json>(text, limits);
}

Result<nlohmann::ordered_json> parse_strict_ordered(std::string_view text,
                                                    const JsonLimits& limits) {
    return parse<nlohmann::ordered_json>(text, limits);
}

std::string shown(const nlohmann::json& value) {
    return dump(value);
}

std::string shown(const nlohmann::ordered_json& value) {
    return dump(value);
}

} // namespace cgtide::oci
