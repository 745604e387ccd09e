#include "engine/damon/record.hpp"

#include <nlohmann/json.hpp>

namespace cgtide::damon {

namespace {

using nlohmann::json;

constexpr int kVersion = 1;
constexpr std::string_view kOp = "record of DAMON's use";

} // namespace

std::string encode(const Record& record) {
    json workers = json::array();
    for (const Record::Worker& worker : record.workers) {
        workers.push_back({{"slot", worker.slot}, {"pid", worker.pid}, {"start", worker.start}});
    }
    const json file{{"version", kVersion},
                    {"boot_id", record.boot_id},
                    {"engine", {{"pid", record.engine}, {"start", record.engine_start}}},
                    {"slots", record.slots},
                    {"kdamonds", workers},
                    {"modules", record.modules}};
    return file.dump();
}

Result<Record> decode(std::string_view text) {
    const json file = json::parse(text, nullptr, false);
    if (!file.is_object()) {
        return fail(Errc::malformed, kOp, "no JSON object");
    }
    // The file is root's own and replaced as a whole: the fields are all there or it is not ours.
    try {
        if (file.at("version") != kVersion) {
            return fail(Errc::malformed, kOp, "another version");
        }
        Record record{.boot_id = file.at("boot_id"),
                      .engine = file.at("engine").at("pid"),
                      .engine_start = file.at("engine").at("start"),
                      .slots = file.at("slots"),
                      .workers = {},
                      .modules = file.at("modules")};
        for (const json& worker : file.at("kdamonds")) {
            record.workers.push_back({worker.at("slot"), worker.at("pid"), worker.at("start")});
        }
        return record;
    } catch (const json::exception& error) {
        return fail(Errc::malformed, kOp, error.what());
    }
}

Result<std::optional<Record>> load_record(const Dir& run) {
    const auto text = run.read(kRecordFile);
    if (!text) {
        if (is_gone(text.error())) {
            return std::nullopt;
        }
        return tl::unexpected(text.error());
    }
    return decode(*text).map([](Record record) { return std::optional(std::move(record)); });
}

Result<void> save_record(const Dir& run, const Record& record) {
    return run.replace(kRecordFile, encode(record));
}

} // namespace cgtide::damon
