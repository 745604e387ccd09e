#pragma once

#include "engine/model/app.hpp"

namespace cgtide::apps {

/// The app `stat`: what a container uses, how long its tasks stall and how much of its memory comes
/// back. It decides nothing; `inspect` shows its state.
model::App stat_app();

} // namespace cgtide::apps
