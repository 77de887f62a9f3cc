#ifndef LATHE_OPTIMIZER_PASSES_WEIGHT_CHOICES_H_
#define LATHE_OPTIMIZER_PASSES_WEIGHT_CHOICES_H_

#include <cstdint>
#include <map>
#include <vector>

#include "optimizer/model/ids.h"

namespace lathe {

// Integer weights of one operator, chosen with data: real weight = scales[c] * levels[i] along the operator's weight
// axis (weights.h). A pass that must raise a scale (QuantizeBias) rounds that channel again, to the nearest.
struct ChosenWeights {
  int bits = 8;                   // levels lie in [-(2^(bits-1) - 1), 2^(bits-1) - 1]
  std::vector<float> scales;      // one for each channel; empty: only bias_shift is meant
  std::vector<int8_t> levels;     // in the order of the weight tensor; one byte each, whatever the bits
  std::vector<float> bias_shift;  // added to the float bias before it is quantized; one for each channel, or empty
};

// By operator of subgraph 0 of the very model that the pass gets.
using WeightChoices = std::map<OpId, ChosenWeights>;

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_WEIGHT_CHOICES_H_
