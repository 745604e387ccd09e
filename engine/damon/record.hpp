#pragma once

#include "cgroup/base/dir.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cgtide::damon {

/// What the engine changes in DAMON, written down before it does, in `<run>/damon.json`: whoever
/// cleans up after it can tell its own from a stranger's.
struct Record {
    /// A slot that runs or is about to.
    struct Worker {
        std::size_t slot = 0;
        int pid = 0;             ///< of its thread; 0 until the thread was seen
        std::uint64_t start = 0; ///< of that thread, clock ticks after boot

        bool operator==(const Worker&) const = default;
    };

    std::string boot_id;
    int engine = 0; ///< pid of the engine, which is the sentinel of each slot
    std::uint64_t engine_start = 0;
    std::size_t slots = 0; ///< folders made; 0 where only `modules` are still to be seen to
    std::vector<Worker> workers;
    std::vector<std::string> modules; ///< those that ran before, to be started again

    bool operator==(const Record&) const = default;
};

inline constexpr const char* kRecordFile = "damon.json";

std::string encode(const Record& record);

/// \returns `malformed` for text that is no record of this version.
Result<Record> decode(std::string_view text);

/// The record in the folder `run`; nullopt where there is none.
Result<std::optional<Record>> load_record(const Dir& run);

/// Replaces it atomically, mode 0600.
Result<void> save_record(const Dir& run, const Record& record);

} // namespace cgtide::damon
