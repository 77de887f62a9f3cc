#ifndef LATHE_RUNTIME_PREDICTIONS_H_
#define LATHE_RUNTIME_PREDICTIONS_H_

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "common/status.h"
#include "runtime/interpreter.h"

namespace lathe {

// Writes what a model answers, so that other programs can compute with the same numbers: for each output i
// FOLDER/PREFIX_i_NAME.npy, float64 [samples, ...] (integers dequantized; of the name only letters, digits, '-' and '_'
// are kept), and, where a metric decodes its outputs, FOLDER/PREFIX_answers.npy, float64 [rows, 1 + values]: the
// sample, then what Metric::Answers gives. Thread-safe but for Finish.
class PredictionWriter {
 public:
  // The folder exists. Errors of the file system, naming the file.
  static absl::StatusOr<std::unique_ptr<PredictionWriter>> Create(const std::string& folder, const std::string& prefix,
                                                                  const std::vector<TensorInfo>& outputs,
                                                                  size_t samples);
  ~PredictionWriter();
  PredictionWriter(const PredictionWriter&) = delete;
  PredictionWriter& operator=(const PredictionWriter&) = delete;

  // One value of `outputs` for each output. Samples come in any order.
  absl::Status Write(size_t sample, const std::vector<std::vector<double>>& outputs,
                     std::vector<std::vector<double>> answers);
  // Once after the last Write.
  absl::Status Finish();

 private:
  PredictionWriter(std::string folder, std::string prefix) : folder_(std::move(folder)), prefix_(std::move(prefix)) {}

  struct File {
    int fd = -1;
    size_t header_bytes = 0;
    std::string path;
  };
  const std::string folder_, prefix_;
  std::vector<File> files_;
  std::mutex mutex_;                                       // guards answers_
  std::vector<std::vector<std::vector<double>>> answers_;  // by sample
};

}  // namespace lathe

#endif  // LATHE_RUNTIME_PREDICTIONS_H_
