#ifndef LATHE_EXECUTOR_ERROR_TARGET_H_
#define LATHE_EXECUTOR_ERROR_TARGET_H_

#include <google/protobuf/repeated_field.h>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "lathe/v1/job.pb.h"
#include "optimizer/recipe/recipe.h"
#include "optimizer/report/report.h"

namespace lathe {

// What the error of the outputs on held-back samples may be: Recipe::min_sqnr_db, and those gates of the job that hold
// error.outputs[N].sqnr_db or .sqnr_mean_removed_db from below against a number. Gates count where operators may
// fall back: the recipe uses the scheme FULL_INTEGER and is for the CPU.
class ErrorTarget {
 public:
  ErrorTarget() = default;
  // REQUIRES: the recipe is resolved.
  ErrorTarget(const Recipe& recipe, const google::protobuf::RepeatedPtrField<v1::Gate>& gates);

  bool empty() const { return bounds_.empty(); }
  // Whether missing it fails the job at once; a gate is held at the end, against the best that was found.
  bool is_strict() const { return min_sqnr_db_.has_value(); }
  // The largest ratio of an output's noise to what it may be: the target is reached when it is at most 1.
  double Excess(const std::vector<OutputError>& errors) const;
  // For reports: "30 dB", "the gates", or both.
  std::string Text() const;

 private:
  struct Bound {
    std::optional<size_t> output;  // nothing: every output
    bool mean_removed = true;
    double least_db = 0;
  };
  std::optional<double> min_sqnr_db_;
  std::vector<Bound> bounds_;
};

}  // namespace lathe

#endif  // LATHE_EXECUTOR_ERROR_TARGET_H_
