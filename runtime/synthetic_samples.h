#ifndef LATHE_RUNTIME_SYNTHETIC_SAMPLES_H_
#define LATHE_RUNTIME_SYNTHETIC_SAMPLES_H_

#include <atomic>
#include <memory>
#include <vector>

#include "runtime/samples.h"

namespace lathe {

// Samples made from a seed; see MakeSyntheticSamples. A sample's values depend on seed, sample and input alone, so they
// are the same on every machine and for any number of readers.
class SyntheticSamples : public SampleSource {
 public:
  static absl::StatusOr<std::unique_ptr<SampleSource>> Make(const Model& model, const SampleOptions& options);
  absl::StatusOr<bool> Next(Sample* sample) override;
  absl::StatusOr<bool> Skip() override { return next_++ < count_; }
  absl::Status Rewind() override;
  size_t size() const override { return count_; }
  bool synthetic() const override { return true; }

 private:
  void Fill(size_t sample, size_t input, absl::Span<uint8_t> out) const;

  SampleOptions options_;
  std::vector<TensorInfo> inputs_;
  std::vector<int64_t> values_;  // an input: integers are below this
  size_t count_ = 16;
  std::atomic<size_t> next_{0};
};

}  // namespace lathe

#endif  // LATHE_RUNTIME_SYNTHETIC_SAMPLES_H_
