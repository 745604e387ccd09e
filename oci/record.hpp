#pragma once

#include "cgroup/base/cgroup_id.hpp"
#include "cgroup/base/result.hpp"
#include "oci/state.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace cgtide::oci {

/// The registration of one container: what the hook leaves in `<run>/containers/<key>.json` and
/// tells the socket.
struct Record {
    static constexpr int kVersion = 1;

    int version = kVersion;
    std::string id;
    std::string bundle;
    int pid = 0;
    std::uint64_t pid_start = 0; ///< field 22 of /proc/PID/stat, clock ticks since boot
    std::string cgroup_path;     ///< v2, begins with "/"
    CgroupId cgroup;
    std::string boot_id;     ///< /proc/sys/kernel/random/boot_id without newline
    Annotations annotations; ///< those with a key of cgtide's, and the ones that names and
                             ///< namespaces are taken from

    bool operator==(const Record&) const = default;
};

/// 16 hexadecimal digits of FNV-1a (64 bits) over bundle, a NUL and id: the name of a container's
/// files, the same in hook and engine.
std::string record_key(std::string_view bundle, std::string_view id);

/// True for 16 lower-case hexadecimal digits.
bool is_record_key(std::string_view text);

/// JSON on one line.
std::string encode_record(const Record& record);

/// \returns `unsupported` for a newer version, `malformed` with the field's name otherwise.
Result<Record> decode_record(std::string_view text);

/// Folders and files below the run folder.
inline constexpr std::string_view kDefaultRunDir = "/run/cgtide";
inline constexpr std::string_view kContainersDir = "containers";
inline constexpr std::string_view kAttachedDir = "attached";
inline constexpr std::string_view kSocketName = "cgtide.sock";
inline constexpr std::string_view kRecordSuffix = ".json";
inline constexpr std::string_view kStoppedSuffix = ".stopped";

} // namespace cgtide::oci
