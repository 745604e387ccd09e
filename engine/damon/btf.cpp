#include "engine/damon/btf.hpp"

#include <string>
#include <string_view>

#include <bpf/btf.h>

namespace cgtide::damon {

namespace {

constexpr std::string_view kOp = "tracepoint damon_aggregated";

std::string_view name_of(const btf& types, std::uint32_t offset) {
    const char* name = btf__name_by_offset(&types, offset);
    return name != nullptr ? name : "";
}

/// A type without typedefs and qualifiers.
const btf_type* strip(const btf& types, std::uint32_t id) {
    const btf_type* type = btf__type_by_id(&types, id);
    while (type != nullptr && (btf_is_mod(type) || btf_is_typedef(type) || btf_is_type_tag(type))) {
        type = btf__type_by_id(&types, type->type);
    }
    return type;
}

/// An argument as text: `u4` for a whole number of four bytes, `NAME *` for a pointer to a
/// structure, `?` for anything else.
std::string argument(const btf& types, std::uint32_t id) {
    const btf_type* type = strip(types, id);
    if (type == nullptr) {
        return "?";
    }
    if (btf_is_int(type)) {
        return "u" + std::to_string(type->size);
    }
    if (!btf_is_ptr(type)) {
        return "?";
    }
    const btf_type* target = strip(types, type->type);
    if (target == nullptr || !btf_is_struct(target)) {
        return "?";
    }
    return std::string(name_of(types, target->name_off)) + " *";
}

/// The function type behind `btf_trace_damon_aggregated`, or none.
const btf_type* prototype(const btf& types) {
    const int id = btf__find_by_name_kind(&types, "btf_trace_damon_aggregated", BTF_KIND_TYPEDEF);
    const btf_type* type = id > 0 ? strip(types, static_cast<std::uint32_t>(id)) : nullptr;
    if (type == nullptr || !btf_is_ptr(type)) {
        return nullptr;
    }
    type = strip(types, type->type);
    return type != nullptr && btf_is_func_proto(type) ? type : nullptr;
}

} // namespace

Result<AggregatedForm> aggregated_form(const btf& types) {
    const btf_type* proto = prototype(types);
    if (proto == nullptr) {
        return fail(Errc::unsupported, kOp, "is not among the kernel's types (BTF)");
    }
    std::string arguments;
    // The first is the tracepoint's own.
    for (std::uint16_t i = 1; i < btf_vlen(proto); ++i) {
        arguments += arguments.empty() ? "" : ", ";
        arguments += argument(types, btf_params(proto)[i].type);
    }
    if (arguments == "u4, damon_region *, u4") {
        return AggregatedForm::index_region_count;
    }
    if (arguments == "damon_target *, u4, damon_region *, u4") {
        return AggregatedForm::target_index_region_count;
    }
    return fail(Errc::unsupported, kOp, "has unknown arguments (" + arguments + ")");
}

} // namespace cgtide::damon
