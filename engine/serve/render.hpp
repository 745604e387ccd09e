#pragma once

#include "engine/model/region_map.hpp"
#include "engine/model/tier_view.hpp"
#include "engine/model/view.hpp"

#include <vector>

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
nlohmann::json render(const model::WhatIf& answer);
nlohmann::json render(const model::Suggestion& suggestion);
nlohmann::json render(const model::TierView& view);
nlohmann::json render(const model::RefusedRecord& record);
nlohmann::json render(const model::Capability& capability);

/// Each of them by render(), as an array. For containers, figures, points of a history, entries of
/// a journal, spaces, refused records and capabilities.
template <class T>
nlohmann::json rendered(const std::vector<T>& values);

} // namespace cgtide::serve
