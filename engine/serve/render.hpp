#pragma once

#include "engine/model/region_map.hpp"
#include "engine/model/view.hpp"

#include <nlohmann/json_fwd.hpp>

namespace cgtide::serve {

/// The engine's views as the types of io.cgtide.Engine. Pure. Numbers stand in the unit that their
/// name ends in; what was not read is null; each decision carries its reason's code, the numbers
/// behind it and the sentence of model::explain().
nlohmann::json render(const model::JournalEntry& entry);
nlohmann::json render(const model::ContainerSummary& container);
nlohmann::json render(const model::ContainerDetail& detail);
nlohmann::json render(const model::IdleFigures& figures);
nlohmann::json render(const model::SpaceMap& space);
nlohmann::json render(const model::StatRow& row);
nlohmann::json render(const model::HistoryPoint& point);
nlohmann::json render(const model::RefusedRecord& record);
nlohmann::json render(const model::Capability& capability);

} // namespace cgtide::serve
