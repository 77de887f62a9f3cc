#include "optimizer/recommendation/nominal_ranges.h"

#include <algorithm>
#include <cmath>

#include "optimizer/math/quantize.h"
#include "optimizer/model/op_options.h"
#include "optimizer/passes/integer_rules.h"

namespace lathe {
namespace {

// Of the order of magnitude that normalized networks have.
constexpr float kMagnitude = 4;

class Ranger {
 public:
  explicit Ranger(const Model& model) : model_(model), graph_(model.subgraphs[0]) {}

  RangeTable Run() {
    for (TensorId id : graph_.inputs) Set(id, Own(id, 0));
    for (size_t i = 0; i < graph_.tensors.size(); ++i) {
      if (graph_.tensors[i].is_variable) Set(TensorId(i), Own(TensorId(i), -kMagnitude));
    }
    for (const Op& op : graph_.ops) {
      for (TensorId id : op.outputs) {
        if (id.valid()) Set(id, Clamped(op, RangeOf(op, id)));
      }
    }
    return std::move(table_);
  }

 private:
  // [0, high], or about 0 for a negative low, with ends that are the tensor's own. Who reaches highest reaches least
  // low: in data, too, the range that several tensors share is seldom that of one of them.
  static TensorRange Own(TensorId id, float low) {
    constexpr int32_t kSteps = 997;
    const int32_t step = id.value % kSteps;
    const float high = kMagnitude * (1.0f + 0.001f * static_cast<float>(step));
    return {low < 0 ? -kMagnitude * (1.0f + 0.001f * static_cast<float>(kSteps - step)) : 0.0f, high};
  }

  void Set(TensorId id, TensorRange range) {
    if (graph_.tensor(id).type != TensorType::kFloat32 || table_.Find(id) != nullptr) return;
    table_.Merge(id, range.min, range.max);
  }

  std::optional<TensorRange> Find(TensorId id) const {
    if (!id.valid()) return std::nullopt;
    if (const TensorRange* known = table_.Find(id)) return *known;
    const Tensor& tensor = graph_.tensor(id);
    if (!model_.IsConstant(tensor) || tensor.type != TensorType::kFloat32 || tensor.sparsity != nullptr) {
      return std::nullopt;
    }
    const math::MinMax range = math::FindMinMax(model_.FloatData(tensor));
    if (!std::isfinite(range.lo) || !std::isfinite(range.hi)) return std::nullopt;
    return TensorRange{range.lo, range.hi};
  }

  // What the operator hands on of its operands.
  std::optional<TensorRange> Joined(const Op& op, const IntegerRule& rule) const {
    std::optional<TensorRange> joined;
    for (size_t operand : DataOperands(rule, op)) {
      const std::optional<TensorRange> its = Find(op.input(operand));
      if (!its) continue;
      joined = joined ? TensorRange{std::min(joined->min, its->min), std::max(joined->max, its->max)} : *its;
    }
    return joined;
  }

  TensorRange RangeOf(const Op& op, TensorId id) const {
    switch (op.kind) {
      case OpKind::kLogistic:
      case OpKind::kSoftmax:
      case OpKind::kRelu0To1:
        return {0, 1};
      case OpKind::kTanh:
      case OpKind::kL2Normalization:
      case OpKind::kReluN1To1:
        return {-1, 1};
      case OpKind::kRelu6:
        return {0, 6};
      case OpKind::kRelu:
      case OpKind::kAbs:
      case OpKind::kExp:
      case OpKind::kSqrt:
      case OpKind::kRsqrt:
      case OpKind::kSquare:
      case OpKind::kSquaredDifference:
        return Own(id, 0);
      default:
        break;
    }
    const IntegerRule* rule = FindIntegerRule(op.kind);
    const bool hands_on = rule != nullptr && (rule->scale_class == ScaleClass::kSameAsInput ||
                                              rule->scale_class == ScaleClass::kSameAsOutput);
    if (hands_on) {
      if (const auto joined = Joined(op, *rule)) return *joined;
    }
    // The mean of what is never negative is not, either.
    if (rule != nullptr && (op.kind == OpKind::kMean || op.kind == OpKind::kSum)) {
      const auto joined = Joined(op, *rule);
      if (joined && joined->min >= 0) return Own(id, 0);
    }
    return Own(id, -kMagnitude);
  }

  static TensorRange Clamped(const Op& op, TensorRange range) {
    switch (FusedActivation(op)) {
      case Activation::kRelu:
        return {0, std::max(range.max, 1.0f)};
      case Activation::kRelu6:
        return {0, 6};
      case Activation::kReluN1To1:
      case Activation::kTanh:
        return {-1, 1};
      default:
        return range;
    }
  }

  const Model& model_;
  const Subgraph& graph_;
  RangeTable table_;
};

}  // namespace

RangeTable NominalRanges(const Model& model) { return Ranger(model).Run(); }

}  // namespace lathe
