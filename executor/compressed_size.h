#ifndef LATHE_EXECUTOR_COMPRESSED_SIZE_H_
#define LATHE_EXECUTOR_COMPRESSED_SIZE_H_

// What a download costs when the server compresses it.

#include <cstdint>

#include "absl/types/span.h"
#include "common/status.h"

namespace lathe {

// Size by zstd level 3. RESOURCE_EXHAUSTED, INTERNAL: the library's own words. About 0.3 GB/s of float weights.
absl::StatusOr<uint64_t> ZstdBytes(absl::Span<const uint8_t> bytes);

struct GzipSize {
  uint64_t bytes = 0;
  bool estimated = false;
};

// Size by gzip level 6, which takes 30 ms a megabyte: above 4 MiB it is estimated from 32 pieces of 128 KiB, evenly
// spread, one of which is the end. Its window is 32 KiB, so that a piece compresses nearly as it would in its place.
// Parallel. Errors as ZstdBytes.
absl::StatusOr<GzipSize> GzipBytes(absl::Span<const uint8_t> bytes);

}  // namespace lathe

#endif  // LATHE_EXECUTOR_COMPRESSED_SIZE_H_
