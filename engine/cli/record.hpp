#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace cgtide::cli {

/// Replies of RecordRegions as a file of damo's format json_compressed: a list of records, one a
/// target, each with its snapshots. Pure.
///
/// Ages are cgtide's own, so that damo's reports agree with `cgtide idle`: what is idle has no
/// accesses, what is in use has those of its last aggregation, and at least one.
class Recording {
public:
    Recording();
    ~Recording();
    Recording(const Recording&) = delete;
    Recording& operator=(const Recording&) = delete;

    /// Takes a reply; a space whose aggregation was there before is skipped.
    void add(const nlohmann::json& reply);

    std::size_t snapshots() const;
    std::size_t targets() const;

    /// The file: JSON, compressed by zlib.
    std::string compressed() const;

    /// The same as JSON.
    const nlohmann::json& records() const;

private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

} // namespace cgtide::cli
