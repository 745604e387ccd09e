#pragma once

#include "engine/core/control.hpp"
#include "engine/wire/message.hpp"

#include <boost/asio/awaitable.hpp>

namespace cgtide::serve {

/// Asks the engine what a call of io.cgtide.Engine wants, and renders what it says; its errors
/// become Varlink errors. Rights are the caller's to check. `control` must outlive the call.
///
/// `round` is the number of replies that a call with `more` has been given: the next one comes when
/// there is something new.
///
/// \returns InvalidParameter for parameters that are missing, of a wrong type or unknown.
boost::asio::awaitable<wire::Reply> dispatch(core::Control& control, wire::Call call,
                                             std::size_t round = 0);

} // namespace cgtide::serve
