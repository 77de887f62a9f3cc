#ifndef LATHE_RUNTIME_NPZ_SAMPLES_H_
#define LATHE_RUNTIME_NPZ_SAMPLES_H_

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "runtime/npz_file.h"
#include "runtime/samples.h"
#include "runtime/value_conversion.h"

namespace lathe {

// Samples streamed from a .npz or .npy file: one row of each matched array at a time. See OpenSamples for the rules.
class NpzSamples : public SampleSource {
 public:
  static absl::StatusOr<std::unique_ptr<SampleSource>> Open(const Model& model, const std::string& path,
                                                            const SampleOptions& options);
  absl::StatusOr<bool> Next(Sample* sample) override;
  absl::StatusOr<bool> Skip() override;
  absl::Status Rewind() override;
  size_t size() const override { return count_; }
  bool synthetic() const override { return false; }

 private:
  // Where one model input gets its values.
  struct Column {
    size_t array = 0;
    std::unique_ptr<ArrayStream> stream;
    std::vector<uint8_t> row;  // as it lies in the file
    TensorInfo row_info;       // the input, as large as one row
  };

  absl::Status MatchColumns();
  absl::Status CheckColumn(size_t input);
  // "data file 'x.npz', column 'image'".
  std::string Where(size_t input) const;

  std::string file_name_;
  std::unique_ptr<NpzFile> file_;
  std::vector<TensorInfo> inputs_;
  std::optional<IntegerScaling> scaling_;
  size_t count_ = 0;

  std::mutex mutex_;             // guards what follows
  std::vector<Column> columns_;  // one an input
  size_t next_ = 0;
};

}  // namespace lathe

#endif  // LATHE_RUNTIME_NPZ_SAMPLES_H_
