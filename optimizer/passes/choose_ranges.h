#ifndef LATHE_OPTIMIZER_PASSES_CHOOSE_RANGES_H_
#define LATHE_OPTIMIZER_PASSES_CHOOSE_RANGES_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "optimizer/model/model.h"
#include "optimizer/passes/activation_stats.h"
#include "optimizer/passes/histogram_table.h"
#include "optimizer/passes/ranges.h"
#include "optimizer/passes/sample_ranges.h"
#include "optimizer/passes/scale_groups.h"

namespace lathe {

// How the range that an activation is quantized over follows from its values.
enum class RangeAlgorithm {
  kBest,           // of all below but the last the one of least expected error, group by group
  kMinMax,         // everything that was seen
  kPercentile,     // cuts off one value in 10,000
  kMinError,       // least expected squared error
  kEntropy,        // least divergence of |x|
  kMovingAverage,  // of each sample's range, in the order of samples: new = 0.9 old + 0.1 sample
};

// By the recipe's word for it; nothing for a word that is none.
std::optional<RangeAlgorithm> FindRangeAlgorithm(std::string_view name);
std::string_view RangeAlgorithmName(RangeAlgorithm algorithm);

// What was chosen for one group of tensors that share a scale.
struct RangeChoice {
  std::vector<TensorId> tensors;
  RangeAlgorithm algorithm = RangeAlgorithm::kMinMax;  // never kBest
  TensorRange seen, chosen;
  // Expected mean squared error of a value with each; absent without a histogram.
  std::optional<double> min_max_error, error;
};

struct ChosenRanges {
  RangeTable ranges;                 // of every observed tensor; what is in no group keeps what was seen
  std::vector<RangeChoice> choices;  // one a group that was observed
};

// Merges what calibration saw of each group's measured tensors, then chooses one range for all of the group. Minimum
// and maximum stay, whatever the algorithm, for 16 bits (65,536 levels: clipping only loses), graph outputs, what feeds
// a SOFTMAX, LOGISTIC or ARG_MAX that answers, results of SUM, MEAN and CUMSUM, groups with a constant in them, groups
// without a histogram, and where another range would lower the expected error by less than a twentieth.
// REQUIRES: everything was made of this very model.
ChosenRanges ChooseRanges(const Model& model, const ActivationStats& stats, const SampleRanges& by_sample,
                          const HistogramTable& histograms, absl::Span<const ScaleGroup> groups,
                          RangeAlgorithm algorithm);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_CHOOSE_RANGES_H_
