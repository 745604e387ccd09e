#pragma once

#include "engine/core/control.hpp"
#include "engine/wire/message.hpp"

#include <cstddef>
#include <string>

#include <boost/asio/awaitable.hpp>

namespace cgtide::serve {

/// The methods that continue for who takes `more`, and what they share with others. `control` must
/// outlive the call; `round` as for dispatch().

/// The regions of a container, now.
boost::asio::awaitable<wire::Reply> regions(core::Control& control, std::string text,
                                            model::RegionCut cut);

/// One reply of RecordRegions; each but the first waits until an aggregation has passed.
boost::asio::awaitable<wire::Reply> record(core::Control& control, wire::Call call,
                                           std::size_t round);

/// One reply of Watch; each but the first waits for a period.
boost::asio::awaitable<wire::Reply> watch(core::Control& control, wire::Call call,
                                          std::size_t round);

} // namespace cgtide::serve
