#pragma once

#include <string>
#include <string_view>
#include <system_error>

#include <tl/expected.hpp>

namespace cgtide {

/// What cgtide itself reports beside errno: conditions that a caller treats in a way of its own.
enum class Errc {
    gone = 1,     ///< the cgroup or process was removed: an event, never logged as an error
    malformed,    ///< text of the kernel, a peer or a file that does not parse
    out_of_range, ///< a value outside what is allowed
    unsupported,  ///< this kernel lacks the interface
    denied,       ///< policy forbids it: a missing grant, a peer without rights
    not_found,    ///< no such container, key or profile
    conflict, ///< the state of something else forbids it: a shared cgroup, a second registration
    timeout,  ///< a deadline passed
};

/// The category of Errc; its name is "cgtide".
const std::error_category& error_category() noexcept;

std::error_code make_error_code(Errc code) noexcept;

/// An error as data. `op` names what was attempted and must be a literal; `detail` says on what,
/// what came back and what is allowed.
struct [[nodiscard]] Error {
    std::error_code code;
    std::string_view op;
    std::string detail;

    /// One line: `op detail: message of code`.
    std::string message() const;
};

template <class T>
using Result = tl::expected<T, Error>;

/// An error with a code of cgtide's own.
tl::unexpected<Error> fail(Errc code, std::string_view op, std::string detail);

/// An error from an errno value. ENODEV becomes Errc::gone: kernfs returns it for files of a
/// removed cgroup.
tl::unexpected<Error> fail_errno(int value, std::string_view op, std::string detail);

/// True where the error says that the thing was removed: Errc::gone, ENOENT, ENODEV or ESRCH.
bool is_gone(const Error& error) noexcept;

} // namespace cgtide

template <>
struct std::is_error_code_enum<cgtide::Errc> : std::true_type {};
