#ifndef LATHE_OPTIMIZER_PASSES_SCALE_GROUPS_H_
#define LATHE_OPTIMIZER_PASSES_SCALE_GROUPS_H_

#include <array>
#include <optional>
#include <vector>

#include "optimizer/math/quantize.h"
#include "optimizer/model/model.h"
#include "optimizer/model/uses.h"
#include "optimizer/passes/settings_table.h"
#include "optimizer/recipe/recipe.h"

namespace lathe {

// Tensors that will share one scale and zero point.
struct ScaleGroup {
  int bits = 8;                   // of the activations: 8 or 16
  std::vector<TensorId> tensors;  // in ascending order; constants among them (the table of a GATHER)
  // The members whose values decide the range: those that something reads which is not clipped with them. A
  // convolution whose only reader is RELU or MINIMUM is not measured, what these write is. Never empty; holds every
  // constant member.
  std::vector<TensorId> measured;
  std::optional<math::AffineParams> fixed;  // by the kernel that writes it: ranges do not matter
};

// All groups of subgraph 0, found before any range is chosen. A tensor that operators of both widths touch is in two.
class ScaleGroups {
 public:
  ScaleGroups() = default;
  // `widths` holds the bits of each operator's activations, 0 for float. Operators that must read and write one scale
  // (ScaleClass) tie their tensors; then a tensor that is read by nothing but operators which want the scale of their
  // result (CONCATENATION, MAXIMUM, and clamps such as RELU) joins that result's group, where its producer is free to
  // choose: then no requantization stands between. Linear in the graph but for the size of groups that join.
  ScaleGroups(const Model& model, const UseMap& uses, const std::vector<int>& widths);

  const std::vector<ScaleGroup>& groups() const { return groups_; }
  // Index of the group that the tensor's integer form of this width is in; -1: nothing touches it in this width.
  int Find(TensorId tensor, int bits) const { return index_[bits == 16 ? 1 : 0][tensor.index()]; }

 private:
  std::vector<ScaleGroup> groups_;
  std::array<std::vector<int>, 2> index_;  // by width and tensor
};

// Bits of the integer activations of each operator of subgraph 0, 0 where it keeps float ones, as settings and kernels
// have it (WhyNotInteger), and without the sums that cost nothing in float (FindFloatSums), which `float_sums`
// receives. `table` and `float_sums` may be null.
std::vector<int> ChooseWidths(const Model& model, const SettingsTable* table, const QuantizeSettings& settings,
                              std::vector<OpId>* float_sums = nullptr);

// The groups that full-integer quantization will use with these settings, for choosing one range for all of a group.
std::vector<ScaleGroup> FindScaleGroups(const Model& model, const SettingsTable* table,
                                        const QuantizeSettings& settings);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_SCALE_GROUPS_H_
