#pragma once

#include "engine/model/snapshot.hpp"

namespace cgtide::apps {

/// A view counts for no longer than this after its `at`, or three of its resolutions.
inline constexpr Microseconds kStaleView{15'000'000};

/// What is known of the age of a container's memory, by kind. Bytes that are neither cold nor
/// unproven have been in use within the asked time.
struct AgeProof {
    bool known = false; ///< a sensor has watched for as long as was asked
    Bytes cold_anon;    ///< proven idle for as long as was asked
    Bytes cold_file;
    Bytes unproven_anon; ///< charged, and of unknown age
    Bytes unproven_file;

    Bytes foreign_mapped; ///< file bytes charged to it that processes of others map

    Bytes unproven() const { return unproven_anon + unproven_file; }
};

/// How much of the container has been idle for `idle`. Unknown is what no sensor saw, and what was
/// told as younger but may be older; where no sensor told of the last kStaleView, or none has
/// watched for `idle`, all that is charged. Needs `now.stat`. Pure.
AgeProof prove_age(const model::Snapshot& now, Microseconds idle);

} // namespace cgtide::apps
