#ifndef LATHE_RUNTIME_HELD_BACK_H_
#define LATHE_RUNTIME_HELD_BACK_H_

#include <memory>
#include <string>
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

// Measures candidates against one reference on the same samples, over and over: how every choice of the optimizer is
// judged. The reference runs once. Same figures for any thread count. One measurement at a time.
class HeldBack {
 public:
  // Runs the reference. Everything given must outlive the object, which alone uses `samples`. Errors as CompareOutputs.
  static absl::StatusOr<std::unique_ptr<HeldBack>> Create(const Model& reference,
                                                          absl::Span<const uint8_t> reference_bytes,
                                                          SampleSource& samples, const HeldBackOptions& options);

  // Without running the reference: whoever runs it on the samples for another reason hands in its answers. For samples
  // without one the reference runs in every measurement.
  static std::unique_ptr<HeldBack> CreateUnanswered(const Model& reference, absl::Span<const uint8_t> reference_bytes,
                                                    SampleSource& samples, const HeldBackOptions& options);
  // Keeps what `interpreter`, whose first outputs are those of the reference, has just answered. Thread-safe, but not
  // during a measurement.
  void Answer(const Sample& sample, const Interpreter& interpreter);

  // The errors of the candidate's outputs. Errors as CompareOutputs, or the file system's.
  // `bytes`, unless null, gets the size of the candidate's file.
  absl::StatusOr<std::vector<OutputError>> Measure(const Model& candidate, uint64_t* bytes = nullptr);
  // The same for a candidate that was read from a file.
  absl::StatusOr<std::vector<OutputError>> Measure(const Model& candidate, const MappedFile& file);

  const SampleSource& samples() const { return samples_; }

 private:
  HeldBack(const Model& reference, absl::Span<const uint8_t> reference_bytes, SampleSource& samples,
           const HeldBackOptions& options);

  const Model& reference_;
  const absl::Span<const uint8_t> reference_bytes_;
  SampleSource& samples_;
  HeldBackOptions options_;
  ReferenceOutputs outputs_;
};

}  // namespace lathe

#endif  // LATHE_RUNTIME_HELD_BACK_H_
