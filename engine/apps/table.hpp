#pragma once

#include "engine/model/app.hpp"

#include <span>

namespace cgtide::apps {

/// Every app, in the order of AppName: the one place where they are listed.
std::span<const model::App> table();

/// The app of that name.
const model::App& find(model::AppName name);

} // namespace cgtide::apps
