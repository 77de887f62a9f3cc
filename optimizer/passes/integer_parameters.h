#ifndef LATHE_OPTIMIZER_PASSES_INTEGER_PARAMETERS_H_
#define LATHE_OPTIMIZER_PASSES_INTEGER_PARAMETERS_H_

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "optimizer/math/quantize.h"
#include "optimizer/model/model.h"
#include "optimizer/passes/ranges.h"
#include "optimizer/passes/scale_groups.h"
#include "optimizer/passes/settings_table.h"
#include "optimizer/passes/weight_choices.h"
#include "optimizer/recipe/recipe.h"

namespace lathe {

// Which operators of subgraph 0 become integer, and the scale and zero point of every activation that they read or
// write.
struct IntegerPlan {
  std::vector<int> widths;  // by operator: bits of its activations, 0 where it keeps float ones
  ScaleGroups groups;
  std::vector<math::AffineParams> params;  // by group
  // By operator and operand: constants that one reader wants on a coarser grid than the others.
  std::map<std::pair<OpId, size_t>, math::AffineParams> constants;
  // Why operators stay float although their kind could be integer: never observed, or numbers that no kernel holds.
  std::map<OpId, std::string> float_reasons;
  std::vector<OpId> float_sums;  // that could be integer and cost no more in float (FindFloatSums)

  // The parameters of the tensor's form of this width. Nullopt: nothing touches it in this width.
  std::optional<math::AffineParams> Find(TensorId tensor, int bits) const;
  // What an integer operator wants its data operand in: the tensor's own parameters, or its result's where all data
  // operands share them. REQUIRES: widths[op] != 0; `operand` is one of DataOperands.
  math::AffineParams WantedBy(OpId op, const Op& operation, size_t operand) const;
  bool ChangesNothing() const;
};

struct IntegerPlanInputs {
  const Model& model;
  const RangeTable& ranges;  // what calibration saw of this very model, or what was chosen from that
  const SettingsTable* table = nullptr;
  const QuantizeSettings& settings;
  const WeightChoices* weights = nullptr;
};

// One range for each group, from the union of its measured members. Where a multiplier would leave what the kernels and
// XNNPACK take (quantization specification, section 8), the scale of the result, or of an operand that is constant or
// that nothing else reads, is raised until it fits; if none may be, the operator stays float and so does one whose
// activations were never observed.
IntegerPlan PlanIntegers(const IntegerPlanInputs& inputs);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_INTEGER_PARAMETERS_H_
