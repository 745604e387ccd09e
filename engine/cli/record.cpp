#include "engine/cli/record.hpp"

#include "engine/cli/fields.hpp"

#include <algorithm>
#include <stdexcept>
#include <unordered_map>

#include <nlohmann/json.hpp>
#include <zlib.h>

namespace cgtide::cli {

namespace {

using nlohmann::json;

double number(const json& object, const char* key) {
    return number_field(object, key).value_or(0.0);
}

std::int64_t whole(const json& object, const char* key) {
    return static_cast<std::int64_t>(number(object, key));
}

/// How many looks an aggregation has.
double looks(std::int64_t sample_us, std::int64_t aggregation_us) {
    return sample_us > 0 ? static_cast<double>(aggregation_us) / static_cast<double>(sample_us) : 0;
}

/// A region as damo has it. Its idle time is the age and one aggregation. damo reads the count by
/// the intervals of the whole record, so that it is of `samples` of them, not of the `told`.
json region_of(const json& row, double told, double samples, std::int64_t aggregation_us) {
    const std::int64_t idle_us = whole(row, "idle_us");
    const bool in_use = idle_us <= 0;
    const double seen = number(row, "accesses") * (told > 0 ? samples / told : 1.0);
    const double accesses = in_use ? std::max(seen, 1.0) : 0.0;
    const std::int64_t age_us =
        in_use ? -idle_us : std::max<std::int64_t>(idle_us - aggregation_us, 0);
    return {{"start", whole(row, "start")},
            {"end", whole(row, "end")},
            {"nr_accesses",
             {{"samples", accesses}, {"percent", samples > 0 ? accesses / samples * 100.0 : 0.0}}},
            {"age",
             {{"usec", age_us},
              {"aggr_intervals", age_us / std::max<std::int64_t>(aggregation_us, 1)}}},
            {"sz_filter_passed", 0},
            {"probe_hits", json::array()}};
}

} // namespace

struct Recording::Parts {
    json records = json::array();
    std::unordered_map<std::int64_t, std::size_t> index; ///< in records, by key of the space
    std::unordered_map<std::int64_t, std::int64_t> last; ///< at_us of its last snapshot
    std::size_t snapshots = 0;
};

Recording::Recording() : parts_(std::make_unique<Parts>()) {}
Recording::~Recording() = default;

void Recording::add(const json& reply) {
    const std::int64_t sample_us = whole(reply, "sample_us");
    const std::int64_t aggregation_us = whole(reply, "aggregation_us");
    for (const json& space : child(reply, "spaces")) {
        const std::int64_t key = whole(space, "key");
        const std::int64_t at_us = whole(space, "at_us");
        const auto [entry, is_new] = parts_->index.try_emplace(key, parts_->records.size());
        if (is_new) {
            parts_->records.push_back({{"kdamond_idx", 0},
                                       {"context_idx", 0},
                                       {"intervals",
                                        {{"sample_us", sample_us},
                                         {"aggr_us", aggregation_us},
                                         {"ops_update_us", aggregation_us}}},
                                       {"scheme_idx", nullptr},
                                       {"target_id", key},
                                       {"scheme_filters", json::array()},
                                       {"snapshots", json::array()},
                                       {"data_source", "unknown"}});
        } else if (parts_->last[key] == at_us) {
            continue;
        }
        parts_->last[key] = at_us;
        const json& intervals = parts_->records[entry->second]["intervals"];
        const double samples = looks(whole(intervals, "sample_us"), aggregation_us);
        json regions = json::array();
        std::int64_t bytes = 0;
        for (const json& row : child(space, "regions")) {
            bytes += whole(row, "end") - whole(row, "start");
            regions.push_back(
                region_of(row, looks(sample_us, aggregation_us), samples, aggregation_us));
        }
        parts_->records[entry->second]["snapshots"].push_back(
            {{"start_time", (at_us - aggregation_us) * 1000},
             {"end_time", at_us * 1000},
             {"regions", std::move(regions)},
             {"total_bytes", bytes},
             {"damos_stats", nullptr},
             {"sample_interval_us", nullptr}});
        ++parts_->snapshots;
    }
}

std::size_t Recording::snapshots() const {
    return parts_->snapshots;
}

std::size_t Recording::targets() const {
    return parts_->records.size();
}

const json& Recording::records() const {
    return parts_->records;
}

std::string Recording::compressed() const {
    const std::string text = parts_->records.dump();
    uLongf size = ::compressBound(text.size());
    std::string file(size, '\0');
    const int result = ::compress(reinterpret_cast<Bytef*>(file.data()), &size,
                                  reinterpret_cast<const Bytef*>(text.data()), text.size());
    if (result != Z_OK) {
        throw std::runtime_error("zlib cannot compress the record");
    }
    file.resize(size);
    return file;
}

} // namespace cgtide::cli
