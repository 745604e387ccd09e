#pragma once

#include "cgroup/base/result.hpp"

namespace cgtide::test {

/// Whether it failed so.
template <class T>
bool fails(const Result<T>& result, Errc code = Errc::malformed) {
    return !result && result.error().code == make_error_code(code);
}

} // namespace cgtide::test
