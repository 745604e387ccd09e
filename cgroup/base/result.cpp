#include "cgroup/base/result.hpp"

#include <cerrno>

namespace cgtide {

namespace {

class Category final : public std::error_category {
public:
    const char* name() const noexcept override { return "cgtide"; }

    std::string message(int value) const override {
        switch (static_cast<Errc>(value)) {
        case Errc::gone:
            return "gone";
        case Errc::malformed:
            return "malformed";
        case Errc::out_of_range:
            return "out of range";
        case Errc::unsupported:
            return "not supported by this kernel";
        case Errc::denied:
            return "not allowed";
        case Errc::not_found:
            return "not found";
        case Errc::conflict:
            return "conflict";
        case Errc::timeout:
            return "timed out";
        }
        return "unknown";
    }
};

} // namespace

const std::error_category& error_category() noexcept {
    static const Category category;
    return category;
}

std::error_code make_error_code(Errc code) noexcept {
    return {static_cast<int>(code), error_category()};
}

std::string Error::message() const {
    std::string text(op);
    if (!detail.empty()) {
        text += ' ';
        text += detail;
    }
    text += ": ";
    text += code.message();
    return text;
}

tl::unexpected<Error> fail(Errc code, std::string_view op, std::string detail) {
    return tl::unexpected<Error>(Error{make_error_code(code), op, std::move(detail)});
}

tl::unexpected<Error> fail_errno(int value, std::string_view op, std::string detail) {
    std::error_code code(value, std::generic_category());
    if (value == ENODEV) {
        code = make_error_code(Errc::gone);
    }
    return tl::unexpected<Error>(Error{code, op, std::move(detail)});
}

bool is_gone(const Error& error) noexcept {
    return error.code == make_error_code(Errc::gone) ||
           error.code == std::errc::no_such_file_or_directory ||
           error.code == std::errc::no_such_device || error.code == std::errc::no_such_process;
}

} // namespace cgtide
