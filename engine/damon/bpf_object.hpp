#pragma once

#include <span>

namespace cgtide::damon {

/// The compiled programs of bpf/region_stream.bpf.c: an ELF object, aligned to 8 bytes. The build
/// writes its source.
std::span<const unsigned char> bpf_object_bytes();

} // namespace cgtide::damon
