#ifndef LATHE_RUNTIME_DATA_CHECKS_H_
#define LATHE_RUNTIME_DATA_CHECKS_H_

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "absl/types/span.h"
#include "runtime/samples.h"

namespace lathe {

// Real numbers that an input is made for, and how that is known.
struct ExpectedRange {
  double low = 0, high = 0;
  std::string source;
};

// From the input's own quantization, or that of the QUANTIZE operator that takes it; nothing for other inputs.
std::optional<ExpectedRange> FindExpectedRange(const Model& model, const TensorInfo& input);

// True when the first operators that take the input do arithmetic with constants, as normalization inside a model does.
bool ScalesItsInput(const Model& model, const TensorInfo& input);

// Looks at samples as they pass and tells what is valid and yet probably not meant. Thread-safe.
class DataChecks {
 public:
  // What the data has for one input.
  struct Column {
    TensorInfo input;
    std::string where;  // "data file 'x.npz', column 'image'"
    std::optional<ExpectedRange> expected;
    bool is_image = false;  // with pixels that nothing in the model scales
  };
  // Least and greatest real number of one sample's input.
  struct Extremes {
    double low = 0, high = 0;
  };

  DataChecks(std::vector<Column> columns, std::optional<LabelColumn> labels, std::string label_where,
             std::optional<int64_t> classes);

  // The first look at a sample counts, later ones do not. REQUIRES: one of `extremes` an input.
  void Look(const Sample& sample, absl::Span<const Extremes> extremes);

  // About the samples seen so far: values beyond what an input holds, or in a small part of it only; pixels that are
  // not scaled; columns of a single value; samples that come twice (more than one in a hundred); labels outside the
  // classes.
  std::vector<std::string> Warnings() const;

 private:
  void CheckRange(const Column& column, const Extremes& seen, std::vector<std::string>* warnings) const;

  const std::vector<Column> columns_;
  const std::optional<LabelColumn> labels_;
  const std::string label_where_;
  const std::optional<int64_t> classes_;

  mutable std::mutex mutex_;  // guards what follows
  std::vector<bool> looked_at_;
  uint64_t samples_ = 0, repeated_ = 0;
  std::unordered_set<uint64_t> digests_;
  std::vector<Extremes> seen_;
  uint64_t bad_labels_ = 0;
  std::string first_bad_label_;
};

}  // namespace lathe

#endif  // LATHE_RUNTIME_DATA_CHECKS_H_
