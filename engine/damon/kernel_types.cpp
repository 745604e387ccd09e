#include "engine/damon/kernel_types.hpp"

#include "engine/damon/btf.hpp"
#include "engine/damon/libbpf_log.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>

#include <bpf/btf.h>

namespace cgtide::damon {

namespace {

/// A part of DAMON's sysfs interface and the member of the kernel's structure that stands for it.
struct Part {
    const char* name;
    std::string_view structure;
    std::string_view member;
};

// Source: mm/damon/sysfs.c and sysfs-schemes.c.
constexpr std::array<Part, 7> kParts{{{"obsolete_target", "damon_sysfs_target", "obsolete"},
                                      {"probes", "damon_sysfs_attrs", "probes"},
                                      {"goal_tuner", "damon_sysfs_quotas", "goal_tuner"},
                                      {"fail_charge", "damon_sysfs_quotas", "fail_charge_num"},
                                      {"max_nr_snapshots", "damon_sysfs_stats", "max_nr_snapshots"},
                                      {"dests", "damon_sysfs_scheme", "dests"},
                                      {"tried_regions", "damon_sysfs_scheme", "tried_regions"}}};

std::string_view name_of(const btf& types, std::uint32_t offset) {
    const char* name = btf__name_by_offset(&types, offset);
    return name != nullptr ? name : "";
}

bool has_member(const btf& types, const btf_type& structure, std::string_view member) {
    for (std::uint16_t i = 0; i < btf_vlen(&structure); ++i) {
        if (name_of(types, btf_members(&structure)[i].name_off) == member) {
            return true;
        }
    }
    return false;
}

/// The tracepoint behind a typedef `btf_trace_NAME` of a pointer to a function.
void add_tracepoint(const btf& types, const btf_type& type, std::vector<Tracepoint>& tracepoints) {
    constexpr std::string_view kPrefix = "btf_trace_";
    const std::string_view name = name_of(types, type.name_off);
    if (!name.starts_with("btf_trace_damon_") && !name.starts_with("btf_trace_damos_")) {
        return;
    }
    const btf_type* pointer = btf__type_by_id(&types, type.type);
    if (pointer == nullptr || !btf_is_ptr(pointer)) {
        return;
    }
    const btf_type* proto = btf__type_by_id(&types, pointer->type);
    if (proto != nullptr && btf_is_func_proto(proto) && btf_vlen(proto) > 0) {
        tracepoints.push_back({std::string(name.substr(kPrefix.size())),
                               static_cast<std::size_t>(btf_vlen(proto)) - 1});
    }
}

} // namespace

KernelTypes kernel_types(const btf& types) {
    KernelTypes told;
    std::array<bool, kParts.size()> found{};
    for (std::uint32_t id = 1; id < btf__type_cnt(&types); ++id) {
        const btf_type& type = *btf__type_by_id(&types, id);
        if (btf_is_typedef(&type)) {
            add_tracepoint(types, type, told.tracepoints);
        } else if (btf_is_struct(&type)) {
            const std::string_view name = name_of(types, type.name_off);
            for (std::size_t i = 0; i < kParts.size(); ++i) {
                const Part& part = kParts.at(i);
                found.at(i) =
                    found.at(i) || (name == part.structure && has_member(types, type, part.member));
            }
        }
    }
    for (std::size_t i = 0; i < kParts.size(); ++i) {
        (found.at(i) ? told.has : told.lacks).emplace_back(kParts.at(i).name);
    }
    if (const auto form = aggregated_form(types); !form) {
        told.no_aggregated = form.error().message();
    }
    return told;
}

Result<KernelTypes> read_kernel_types(std::string_view bytes) {
    struct Free {
        void operator()(btf* types) const { btf__free(types); }
    };
    const LibbpfLog log;
    const std::unique_ptr<btf, Free> types(
        btf__new(bytes.data(), static_cast<std::uint32_t>(bytes.size())));
    if (types == nullptr) {
        return fail(Errc::malformed, "read BTF",
                    "of " + std::to_string(bytes.size()) + " bytes " + log.text());
    }
    return kernel_types(*types);
}

} // namespace cgtide::damon
