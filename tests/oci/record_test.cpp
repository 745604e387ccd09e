#include "oci/record.hpp"
#include "oci/record_json.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace cgtide::oci {
namespace {

using testing::HasSubstr;

Record sample() {
    Record record;
    record.id = "a1";
    record.bundle = "/b/a1";
    record.pid = 1640;
    record.pid_start = 123456;
    record.cgroup_path = "/web/a1";
    record.cgroup = CgroupId{4711};
    record.boot_id = "b6d0c1a0-0000-4000-8000-000000000000";
    record.annotations = {{"cgtide.io/apps", "stat"}, {"cgtide.io/note", "é \"q\" \x01"}};
    return record;
}

std::string changed(const char* field, const nlohmann::json& value) {
    auto json = record_to_json(sample());
    json[field] = value;
    return json.dump();
}

std::string error_of(const std::string& text) {
    const auto record = decode_record(text);
    return record ? "" : record.error().message();
}

TEST(Record, ComesBackAsItWas) {
    const std::string text = encode_record(sample());
    EXPECT_EQ(text.find('\n'), std::string::npos);
    const auto record = decode_record(text);
    ASSERT_TRUE(record);
    EXPECT_EQ(*record, sample());
    EXPECT_EQ(record_from_json(record_to_json(sample())).value(), sample());
}

TEST(Record, KeepsTheLargestNumbers) {
    Record record = sample();
    record.cgroup = CgroupId{UINT64_MAX};
    record.pid_start = UINT64_MAX;
    EXPECT_EQ(decode_record(encode_record(record)).value(), record);
}

TEST(Record, TellsANewerVersionApart) {
    auto json = nlohmann::json::object({{"version", 2}, {"shape", "unknown"}});
    const auto record = decode_record(json.dump());
    ASSERT_FALSE(record);
    EXPECT_EQ(record.error().code, Errc::unsupported);
    EXPECT_THAT(record.error().message(), HasSubstr("version: 2, known is 1"));
}

TEST(Record, NamesABadField) {
    EXPECT_THAT(error_of(changed("version", "1")), HasSubstr("version"));
    EXPECT_THAT(error_of(changed("version", 0)), HasSubstr("version"));
    EXPECT_THAT(error_of(changed("id", "../x")), HasSubstr("id: "));
    EXPECT_THAT(error_of(changed("bundle", "b")), HasSubstr("bundle: "));
    EXPECT_THAT(error_of(changed("pid", 0)), HasSubstr("pid: 0: allowed are 1 to 4194304"));
    EXPECT_THAT(error_of(changed("pid", -5)), HasSubstr("pid: -5"));
    EXPECT_THAT(error_of(changed("pid_start", 1.5)), HasSubstr("pid_start: 1.5"));
    EXPECT_THAT(error_of(changed("cgroup_path", "/web/../..")), HasSubstr("cgroup_path: "));
    EXPECT_THAT(error_of(changed("cgroup", 0)), HasSubstr("cgroup: 0"));
    EXPECT_THAT(error_of(changed("boot_id", "")), HasSubstr("boot_id: "));
    EXPECT_THAT(error_of(changed("annotations", {{"a", 1}})), HasSubstr("annotations: a: 1"));
    EXPECT_THAT(error_of(changed("annotations", 7)), HasSubstr("annotations: 7"));
}

TEST(Record, NamesAMissingField) {
    const auto whole = record_to_json(sample());
    for (const auto& item : whole.items()) {
        auto json = whole;
        json.erase(item.key());
        EXPECT_THAT(error_of(json.dump()), HasSubstr(item.key() + ": is missing"));
    }
}

TEST(Record, RefusesTruncatedText) {
    const std::string text = encode_record(sample());
    for (std::size_t length = 0; length < text.size(); ++length) {
        EXPECT_FALSE(decode_record(std::string_view(text).substr(0, length))) << length;
    }
}

TEST(Record, IgnoresFieldsThatItDoesNotKnow) {
    EXPECT_EQ(error_of(changed("later", true)), "");
}

TEST(RecordKey, IsFnv1aOverBundleNulAndId) {
    // Computed apart from the code: FNV-1a, 64 bits, of "/b/a1\0a1".
    EXPECT_EQ(record_key("/b/a1", "a1"), "72262115b821609b");
    EXPECT_NE(record_key("/b", "a"), record_key("/b/a", ""));
    EXPECT_NE(record_key("/b", "a"), record_key("/c", "a"));
}

TEST(RecordKey, TellsKeysFromOtherNames) {
    EXPECT_TRUE(is_record_key("72262115b821609b"));
    for (const char* name :
         {"", "72262115b821609", "72262115b821609B", "72262115b821609b0", "../62115b821609b"}) {
        EXPECT_FALSE(is_record_key(name)) << name;
    }
}

} // namespace
} // namespace cgtide::oci
