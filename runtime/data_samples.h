#ifndef LATHE_RUNTIME_DATA_SAMPLES_H_
#define LATHE_RUNTIME_DATA_SAMPLES_H_

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "runtime/data_checks.h"
#include "runtime/data_file.h"
#include "runtime/image_column.h"
#include "runtime/samples.h"
#include "runtime/value_conversion.h"

namespace lathe {

// Samples streamed from a data file: one row of each matched column at a time. Rows are read one after the other and
// converted by the threads that pull. See OpenSamples for the rules.
class DataSamples : public SampleSource {
 public:
  static absl::StatusOr<std::unique_ptr<SampleSource>> Open(const Model& model, const std::string& path,
                                                            const SampleOptions& options);
  absl::StatusOr<bool> Next(Sample* sample) override;
  absl::StatusOr<bool> Skip() override;
  absl::Status Rewind() override;
  size_t size() const override { return count_; }
  bool synthetic() const override { return false; }
  std::vector<std::string> FindValueWarnings() const override { return checks_->Warnings(); }

 private:
  // Where one model input gets its values.
  struct InputColumn {
    size_t column = 0;
    TensorInfo row_info;  // the input, as large as one row
    std::optional<IntegerScaling> scaling;
    std::optional<ImageColumn> images;  // if values go through it
    std::optional<int64_t> rows_max;    // integers are indices of a table of so many rows
  };
  // One row as it lies in the file: a value for each of inputs_, then the label.
  using Row = std::vector<std::vector<uint8_t>>;

  absl::Status MatchColumns();
  absl::Status CheckInput(size_t input, const Preprocessing& preprocessing);
  absl::Status CheckNumbers(size_t input);
  // OK if something asked for is used by any input.
  absl::Status CheckImagesChanged(const Preprocessing& preprocessing) const;
  void PrepareChecks(const Model& model);
  absl::StatusOr<DataChecks::Extremes> FindRealExtremes(const InputColumn& source,
                                                        const std::vector<uint8_t>& value) const;
  absl::Status FindLabels(SampleOptions::Labels wanted);
  // Passes over rows that are not chosen, to the next one that is. Nothing at the end.
  absl::StatusOr<std::optional<size_t>> Advance();
  absl::StatusOr<bool> ReadRow(Row* row, size_t* index, size_t* file_row);
  absl::Status ConvertRow(const Row& row, Sample* sample, size_t file_row);
  // "data file 'x.npz', column 'image'".
  std::string Where(size_t column) const;

  std::string file_name_;
  std::unique_ptr<DataFile> file_;
  std::vector<TensorInfo> inputs_;
  std::vector<InputColumn> input_columns_;  // one an input
  std::optional<size_t> label_column_;
  std::vector<size_t> columns_;  // that are read: of each input, then of the label
  size_t count_ = 0;             // samples
  size_t row_count_ = 0;         // in the file
  std::unique_ptr<DataChecks> checks_;
  std::vector<bool> chosen_;  // of the file's rows; empty: all

  std::mutex mutex_;                                    // guards what follows
  std::vector<std::unique_ptr<ColumnReader>> readers_;  // of columns_
  std::vector<Row> free_rows_;                          // memory to read into, one for each thread that ever pulled
  size_t next_ = 0;                                     // sample
  size_t next_row_ = 0;                                 // in the file
};

}  // namespace lathe

#endif  // LATHE_RUNTIME_DATA_SAMPLES_H_
