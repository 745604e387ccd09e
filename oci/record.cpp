#include "oci/record.hpp"

#include "cgroup/base/text.hpp"
#include "oci/record_json.hpp"
#include "oci/strict_json.hpp"

#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

namespace cgtide::oci {

namespace {

constexpr std::string_view kWhat = "record";
// A state's worth of annotations and what the hook adds.
constexpr std::size_t kMaxRecordBytes = kMaxStateBytes + 16384;

/// Takes fields out of an object one by one and keeps the first error.
class Fields {
public:
    explicit Fields(const nlohmann::json& object) : object_(object) {}

    std::string text(const char* name, bool (*allowed)(std::string_view), const char* expected) {
        const nlohmann::json* value = find(name);
        if (value == nullptr) {
            return {};
        }
        if (!value->is_string() || !allowed(value->get_ref<const std::string&>())) {
            refuse(name, shown(*value) + " is " + expected);
            return {};
        }
        return value->get<std::string>();
    }

    std::uint64_t number(const char* name, std::uint64_t low, std::uint64_t high) {
        const nlohmann::json* value = find(name);
        if (value == nullptr) {
            return 0;
        }
        const bool negative = value->is_number_integer() && !value->is_number_unsigned() &&
                              value->get<std::int64_t>() < 0;
        if (!value->is_number_integer() || negative) {
            refuse(name, shown(*value) + " is no whole number");
            return 0;
        }
        const auto number = value->get<std::uint64_t>();
        if (number < low || number > high) {
            refuse(name, shown(*value) + ": allowed are " + std::to_string(low) + " to " +
                             std::to_string(high));
        }
        return number;
    }

    Annotations annotations(const char* name) {
        Annotations out;
        const nlohmann::json* value = find(name);
        if (value == nullptr) {
            return out;
        }
        if (!value->is_object()) {
            refuse(name, shown(*value) + " is no object");
            return out;
        }
        for (const auto& [key, item] : value->items()) {
            if (!item.is_string()) {
                refuse(name, printable(key) + ": " + shown(item) + " is no string");
                return out;
            }
            out.emplace(key, item.get<std::string>());
        }
        return out;
    }

    const std::optional<Error>& error() const { return error_; }

private:
    const nlohmann::json* find(const char* name) {
        const auto at = object_.find(name);
        if (at == object_.end()) {
            refuse(name, "is missing");
            return nullptr;
        }
        return &*at;
    }

    void refuse(const char* name, const std::string& why) {
        if (!error_) {
            error_ = Error{make_error_code(Errc::malformed), kWhat, name + (": " + why)};
        }
    }

    const nlohmann::json& object_;
    std::optional<Error> error_;
};

/// A NUL can reach us here from JSON that no strict parser saw.
bool plain(std::string_view text) {
    return !text.empty() && text.find('\0') == std::string_view::npos;
}

bool is_id(std::string_view text) {
    return plain(text) && text.find('/') == std::string_view::npos && text != "." && text != "..";
}

bool is_absolute(std::string_view text) {
    return plain(text) && text.front() == '/';
}

/// A cgroup's path is opened below the mount, so no component may lead out of it.
bool is_cgroup_path(std::string_view text) {
    if (!is_absolute(text)) {
        return false;
    }
    for (const std::string_view part : split(text, '/')) {
        if (part == "." || part == "..") {
            return false;
        }
    }
    return true;
}

} // namespace

std::string record_key(std::string_view bundle, std::string_view id) {
    constexpr std::uint64_t kOffset = 0xcbf29ce484222325;
    constexpr std::uint64_t kPrime = 0x100000001b3;
    std::uint64_t hash = kOffset;
    const auto add = [&hash](char c) {
        hash = (hash ^ static_cast<unsigned char>(c)) * kPrime;
    };
    for (const char c : bundle) {
        add(c);
    }
    add('\0');
    for (const char c : id) {
        add(c);
    }
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string key(16, '0');
    for (auto digit = key.rbegin(); digit != key.rend(); ++digit) {
        *digit = kDigits[hash & 0xFU];
        hash >>= 4U;
    }
    return key;
}

bool is_record_key(std::string_view text) {
    return text.size() == 16 &&
           text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

nlohmann::json record_to_json(const Record& record) {
    nlohmann::json json = nlohmann::json::object();
    json["version"] = record.version;
    json["id"] = record.id;
    json["bundle"] = record.bundle;
    json["pid"] = record.pid;
    json["pid_start"] = record.pid_start;
    json["cgroup_path"] = record.cgroup_path;
    json["cgroup"] = record.cgroup.value;
    json["boot_id"] = record.boot_id;
    json["annotations"] = record.annotations;
    return json;
}

std::string encode_record(const Record& record) {
    return record_to_json(record).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<Record> record_from_json(const nlohmann::json& json) {
    if (!json.is_object()) {
        return fail(Errc::malformed, kWhat, shown(json) + " is no object");
    }
    Fields fields(json);
    // Read first: what a newer version means by the other fields is not known.
    const std::uint64_t version = fields.number("version", 1, UINT64_MAX);
    if (!fields.error() && version > Record::kVersion) {
        return fail(Errc::unsupported, kWhat,
                    "version: " + std::to_string(version) + ", known is " +
                        std::to_string(Record::kVersion) + ": written by a newer cgtide");
    }
    Record record;
    record.id = fields.text("id", is_id, "no name without '/'");
    record.bundle = fields.text("bundle", is_absolute, "no absolute path");
    record.pid = static_cast<int>(fields.number("pid", 1, kMaxPid));
    record.pid_start = fields.number("pid_start", 0, UINT64_MAX);
    record.cgroup_path = fields.text("cgroup_path", is_cgroup_path, "no path of a cgroup");
    record.cgroup.value = fields.number("cgroup", 1, UINT64_MAX);
    record.boot_id = fields.text("boot_id", plain, "no boot id");
    record.annotations = fields.annotations("annotations");
    if (fields.error()) {
        return tl::unexpected(*fields.error());
    }
    return record;
}

Result<Record> decode_record(std::string_view text) {
    const auto json = parse_strict(text, {kWhat, kMaxRecordBytes, kMaxStateDepth});
    if (!json) {
        return tl::unexpected(json.error());
    }
    return record_from_json(*json);
}

} // namespace cgtide::oci
