#ifndef LATHE_RUNTIME_SAMPLE_LOOP_H_
#define LATHE_RUNTIME_SAMPLE_LOOP_H_

#include <cstdint>
#include <functional>

#include "common/cancel.h"
#include "common/status.h"
#include "runtime/samples.h"

namespace lathe {

// What one worker does with one sample. Called by one thread only.
using SampleWork = std::function<absl::Status(const Sample&)>;

struct SampleLoop {
  int workers = 1;
  CancelToken cancel;
  std::function<void()> done_one;  // after each sample, one call at a time; may be null
};

// Runs `make_work(worker)` in each of `workers` threads and its result on the samples that the thread pulls, until the
// source ends. The first error (of the lowest sample among those that workers met before stopping) is returned and the
// others are dropped. CANCELLED when the token says so, checked before each sample.
absl::Status ForEachSample(SampleSource& samples, const SampleLoop& loop,
                           const std::function<absl::StatusOr<SampleWork>(int worker)>& make_work);

}  // namespace lathe

#endif  // LATHE_RUNTIME_SAMPLE_LOOP_H_
