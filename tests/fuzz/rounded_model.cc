#include "tests/fuzz/rounded_model.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "optimizer/model/graph_editor.h"
#include "tests/support/model_builder.h"

namespace lathe {
namespace {

std::optional<Quantization> FixedBy(OpKind kind) {
  switch (kind) {
    case OpKind::kSoftmax:
    case OpKind::kLogistic:
      return PerTensor(1.0f / 256, -128);
    case OpKind::kTanh:
    case OpKind::kL2Normalization:
      return PerTensor(1.0f / 128, 0);
    case OpKind::kLogSoftmax:
      return PerTensor(16.0f / 256, 127);
    default:
      return std::nullopt;
  }
}

Quantization ForRange(TensorRange range) {
  const float low = std::min(range.min, 0.0f), high = std::max(range.max, 0.0f);
  const float scale = std::max(high - low, 1e-6f) / 255;
  return PerTensor(scale, static_cast<int64_t>(std::clamp(std::nearbyint(-128 - low / scale), -128.0f, 127.0f)));
}

Op Conversion(OpKind kind, TensorId from, TensorId to) {
  Op op;
  op.kind = kind;
  op.inputs = {from};
  op.outputs = {to};
  return op;
}

}  // namespace

Model RoundActivations(const Model& model, const ActivationStats& stats) {
  Model result = model;
  GraphEditor editor(result, SubgraphId(0));
  for (size_t i = 0; i < model.subgraphs[0].ops.size(); ++i) {
    const Op& op = model.subgraphs[0].ops[i];
    for (size_t o = 0; o < op.outputs.size(); ++o) {
      const TensorStats* seen = stats.Find(op.outputs[o]);
      if (seen == nullptr) continue;
      Tensor exact = model.subgraphs[0].tensor(op.outputs[o]);
      exact.name += "_exact";
      Tensor rounded = exact;
      rounded.name += "_rounded";
      rounded.type = TensorType::kInt8;
      rounded.quantization = FixedBy(op.kind).value_or(ForRange(seen->range));
      const TensorId exact_id = editor.AddTensor(std::move(exact)), rounded_id = editor.AddTensor(std::move(rounded));
      editor.SetOutput(OpId(i), o, exact_id);
      editor.InsertAfter(OpId(i), Conversion(OpKind::kQuantize, exact_id, rounded_id));
      editor.InsertAfter(OpId(i), Conversion(OpKind::kDequantize, rounded_id, op.outputs[o]));
    }
  }
  editor.Finish();
  return result;
}

}  // namespace lathe
