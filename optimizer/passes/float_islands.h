#ifndef LATHE_OPTIMIZER_PASSES_FLOAT_ISLANDS_H_
#define LATHE_OPTIMIZER_PASSES_FLOAT_ISLANDS_H_

#include <vector>

#include "optimizer/model/model.h"
#include "optimizer/passes/settings_table.h"
#include "optimizer/recipe/recipe.h"

namespace lathe {

// The sums of subgraph 0 that cost no more in float than as integers, because operators around them stay float anyhow
// (a residual stream between PRELUs): ADD of two activations, of which one is float anyhow, read by nothing but
// operators that were to be integer and stay float, where float needs no more QUANTIZE and DEQUANTIZE than integers do.
// Neither the sum nor what it adds is then rounded. None where the settings want integers without exception (IsStrict).
// `widths` holds the bits of each operator's activations before, 0 for float; `table` may be null. In descending order.
// docs/decisions/0023-error-and-size-of-quantized-files.md.
std::vector<OpId> FindFloatSums(const Model& model, const SettingsTable* table, const QuantizeSettings& settings,
                                const std::vector<int>& widths);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_FLOAT_ISLANDS_H_
