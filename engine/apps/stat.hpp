#pragma once

#include "engine/model/app.hpp"

namespace cgtide::apps {

/// The app `stat`: what a container uses, how long its tasks stall, how much of its memory comes
/// back, and how long its memory has been idle. It decides nothing; `inspect` and `idle` show its
/// state.
model::App stat_app();

} // namespace cgtide::apps
