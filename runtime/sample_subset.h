#ifndef LATHE_RUNTIME_SAMPLE_SUBSET_H_
#define LATHE_RUNTIME_SAMPLE_SUBSET_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "common/status.h"
#include "runtime/samples.h"

namespace lathe {

// Indices of samples, ascending.
struct SampleSplit {
  std::vector<size_t> calibration;  // to choose ranges, rounding, ... by
  std::vector<size_t> held_back;    // to decide by what stays; nothing is fitted to them
};

// `wanted` of `count` samples, drawn by the seed: true for each that is chosen; all of them if there are not more.
std::vector<bool> DrawSamples(size_t count, uint64_t seed, size_t wanted);

// Holds a fifth of `count` samples back, drawn by the seed: at least 20, or a third if that is less, but no fewer than
// 8, and at most `held_back_max`. With fewer than 16 samples none is: too few would be left on either side.
SampleSplit SplitSamples(size_t count, uint64_t seed, size_t held_back_max);

// Those samples of `source` whose indices are listed (ascending, each once), under the index they have there. They are
// kept in memory if they take at most `bytes_max` together; else each round streams them from the source again.
// INVALID_ARGUMENT (DATA_INVALID): as SampleSource::Next. REQUIRES: indices below source.size(); the source is used by
// nobody else and outlives the result.
absl::StatusOr<std::unique_ptr<SampleSource>> SelectSamples(SampleSource& source, std::vector<size_t> indices,
                                                            uint64_t bytes_max);

}  // namespace lathe

#endif  // LATHE_RUNTIME_SAMPLE_SUBSET_H_
