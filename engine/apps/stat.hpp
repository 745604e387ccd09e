#pragma once

#include "engine/model/app.hpp"
#include "engine/model/view.hpp"

#include <optional>

namespace cgtide::apps {

/// The app `stat`: what a container uses, how long its tasks stall, how much of its memory comes
/// back, and how long its memory has been idle. It decides nothing; `inspect` and `idle` show its
/// state.
model::App stat_app();

/// What is kept of the step after which the state is `stat`, without the wall clock's time; nullopt
/// where no sensor told anything. What is charged and no sensor saw is unseen, be it memory of the
/// kernel, which none looks at. Pure.
std::optional<model::HistoryPoint> history_point(const model::StatState& stat,
                                                 const model::Snapshot& now);

} // namespace cgtide::apps
