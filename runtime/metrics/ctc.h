#ifndef LATHE_RUNTIME_METRICS_CTC_H_
#define LATHE_RUNTIME_METRICS_CTC_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "common/status.h"
#include "optimizer/recipe/metric.h"

namespace lathe {

// Greedy decoding of connectionist temporal classification: the largest class of each frame (of equal ones the lowest),
// a frame that repeats the one before dropped, blanks dropped.
class CtcDecoder {
 public:
  // METRIC_UNFIT: a blank that is no class, an alphabet that is not UTF-8 or of another length than classes - 1 (which
  // has a default for 28 classes: space, a to z; and for 29: the same and an apostrophe).
  static absl::StatusOr<CtcDecoder> Make(size_t classes, const MetricOptions::Ctc& options);

  // The text, runs of spaces collapsed, none at its ends; one code point a symbol. REQUIRES: whole frames.
  std::u32string Decode(absl::Span<const double> scores) const;
  // The same for classes as labels give them; ends at the first -1. LABELS_INVALID: the blank, or no class.
  absl::StatusOr<std::u32string> TextOf(absl::Span<const double> labels) const;

 private:
  size_t classes_ = 0, blank_ = 0;
  std::u32string symbols_;  // by class; that of the blank is not used
};

// How many insertions, deletions and substitutions turn `a` into `b`, at least.
size_t EditDistance(const std::u32string& a, const std::u32string& b);
size_t EditDistance(const std::vector<std::u32string>& a, const std::vector<std::u32string>& b);
// The parts between single spaces; none for "".
std::vector<std::u32string> Words(const std::u32string& text);

}  // namespace lathe

#endif  // LATHE_RUNTIME_METRICS_CTC_H_
