#pragma once

#include "oci/record.hpp"

#include <nlohmann/json_fwd.hpp>

namespace cgtide::oci {

/// The object that a record's file and the `record` of io.cgtide.Engine.Register hold.
nlohmann::json record_to_json(const Record& record);

/// \returns as decode_record() does.
Result<Record> record_from_json(const nlohmann::json& json);

} // namespace cgtide::oci
