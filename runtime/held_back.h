#ifndef LATHE_RUNTIME_HELD_BACK_H_
#define LATHE_RUNTIME_HELD_BACK_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "common/status.h"
#include "optimizer/model/model.h"
#include "optimizer/report/report.h"  // OutputError
#include "runtime/compare.h"
#include "runtime/samples.h"

namespace lathe {

struct HeldBackOptions : CompareOptions {
  // Where a candidate is written for the time of a measurement.
  std::string scratch_dir;
  // What the reference's outputs may take; for samples beyond it the reference runs in every measurement.
  uint64_t outputs_bytes_max = uint64_t{64} << 20;
};

// What a candidate's outputs are off by.
struct HeldBackErrors {
  std::vector<OutputError> errors;
  // Over the first few samples alone; empty when there are too few to stop at some, or nobody was to be asked.
  std::vector<OutputError> first;
  size_t samples = 0;  // that `errors` is over: fewer than all when the measurement was given up
  uint64_t bytes = 0;  // of the candidate's file
};

// Measures candidates against one reference on the same samples, over and over: how every choice of the optimizer is
// judged. The reference runs once. Same figures for any thread count. One measurement at a time.
class HeldBack {
 public:
  // Told the errors over the first few samples, says whether the others are worth their time.
  using GoesOn = std::function<bool(const std::vector<OutputError>& first)>;

  // Runs the reference. Everything given must outlive the object, which alone uses `samples`. Errors as CompareOutputs.
  static absl::StatusOr<std::unique_ptr<HeldBack>> Create(const Model& reference,
                                                          absl::Span<const uint8_t> reference_bytes,
                                                          SampleSource& samples, const HeldBackOptions& options);

  // Without running the reference: whoever runs it on the samples for another reason hands in its answers. For samples
  // without one the reference runs in every measurement.
  static absl::StatusOr<std::unique_ptr<HeldBack>> CreateUnanswered(const Model& reference,
                                                                    absl::Span<const uint8_t> reference_bytes,
                                                                    SampleSource& samples,
                                                                    const HeldBackOptions& options);
  // Keeps what `interpreter`, whose first outputs are those of the reference, has just answered. Thread-safe, but not
  // during a measurement.
  void Answer(const Sample& sample, const Interpreter& interpreter);

  // The errors of the candidate's outputs. Errors as CompareOutputs, or the file system's. With `goes_on`, a quarter of
  // the samples (at least 8, spread over all) comes first, and the rest only if it says so.
  absl::StatusOr<HeldBackErrors> Measure(const Model& candidate, const GoesOn& goes_on = nullptr);
  // The same for a candidate that was read from a file. One whose bytes were measured before is not run again.
  absl::StatusOr<HeldBackErrors> Measure(const Model& candidate, const MappedFile& file,
                                         const GoesOn& goes_on = nullptr);

  const SampleSource& samples() const { return samples_; }

 private:
  HeldBack(const Model& reference, absl::Span<const uint8_t> reference_bytes, SampleSource& samples,
           const HeldBackOptions& options);
  absl::Status Split();
  absl::StatusOr<HeldBackErrors> Run(const Model& candidate, const MappedFile& file, const GoesOn& goes_on);

  const Model& reference_;
  const absl::Span<const uint8_t> reference_bytes_;
  SampleSource& samples_;
  // The samples in two parts; null when there are too few.
  std::unique_ptr<SampleSource> first_, rest_;
  HeldBackOptions options_;
  ReferenceOutputs outputs_;
  std::map<std::pair<size_t, size_t>, HeldBackErrors> measured_;  // by size and hash of the file; all samples
};

}  // namespace lathe

#endif  // LATHE_RUNTIME_HELD_BACK_H_
