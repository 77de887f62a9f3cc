#include "optimizer/passes/integer_weights_pass.h"

#include <map>
#include <tuple>
#include <utility>

#include "optimizer/model/graph_editor.h"
#include "optimizer/model/uses.h"
#include "optimizer/passes/versions.h"
#include "optimizer/passes/weights.h"

namespace lathe {
namespace {

// What the file pays besides scales and zero points: QuantizationParameters' table and vectors, and behind a
// DEQUANTIZE also the operator, its tensor and its name.
constexpr int64_t kTableBytes = 64, kDequantizeBytes = 250;

// XNNPACK has no dynamic-range depthwise convolution, and the runtime's own hybrid kernel is slow: mobilenet_v2 takes
// 17.4 ms with it and 7.1 in float (one thread). Behind a DEQUANTIZE the file is as small, and XNNPACK computes in
// float.
bool HasFastHybridKernel(OpKind kind) { return kind != OpKind::kDepthwiseConv2d; }

bool WinsBytes(const Tensor& weights, int32_t axis, bool behind_dequantize) {
  const int64_t saved = weights.NumElements() * 3;
  const int64_t channels = weights.shape[static_cast<size_t>(axis)];
  return saved > PerChannelBytes(channels) + kTableBytes + (behind_dequantize ? kDequantizeBytes : 0);
}

// Makes the int8 constants of one subgraph, each once even when several operators share the weights.
class Int8Constants {
 public:
  Int8Constants(Model& model, SubgraphId subgraph, GraphEditor& editor)
      : model_(model), subgraph_(subgraph), editor_(editor) {}

  absl::StatusOr<TensorId> Get(TensorId weights, int32_t axis, bool behind_dequantize) {
    const auto key = std::make_tuple(weights, axis, behind_dequantize);
    if (auto found = made_.find(key); found != made_.end()) return found->second;
    Tensor tensor = model_.subgraph(subgraph_).tensor(weights);
    absl::StatusOr<Int8Weights> quantized = QuantizeToInt8(model_, tensor, axis);
    if (!quantized.ok()) return Annotate(quantized.status(), Where(subgraph_, weights, tensor));
    if (behind_dequantize) tensor.name += "_int8";  // the float tensor that DEQUANTIZE writes keeps the name
    tensor.type = TensorType::kInt8;
    tensor.quantization = std::move(quantized->quantization);
    tensor.buffer = editor_.AddBuffer(std::move(quantized->data));
    return made_[key] = editor_.AddTensor(std::move(tensor));
  }

 private:
  Model& model_;
  SubgraphId subgraph_;
  GraphEditor& editor_;
  std::map<std::tuple<TensorId, int32_t, bool>, TensorId> made_;
};

}  // namespace

absl::StatusOr<Change> IntegerWeightsPass::Edit(Model& model, PassContext& context) const {
  Change change;
  for (size_t s = 0; s < model.subgraphs.size(); ++s) {
    const SubgraphId id(s);
    GraphEditor editor(model, id);
    Int8Constants constants(model, id, editor);
    std::map<TensorId, TensorId> expanded;  // int8 constant -> what its DEQUANTIZE writes
    const size_t op_count = model.subgraph(id).ops.size();
    for (size_t i = 0; i < op_count; ++i) {
      LATHE_RETURN_IF_ERROR(context.cancel.Check());
      const Op op = model.subgraph(id).ops[i];
      if (!WhyNoIntegerWeights(model, model.subgraph(id), op).empty()) continue;
      const WeightOperands operands = *GetWeightOperands(op.kind);
      const bool behind_dequantize = mode_ == Mode::kWeightOnly || !HasFastHybridKernel(op.kind);
      const TensorId weights = op.inputs[operands.weights];
      const Tensor original = model.subgraph(id).tensor(weights);
      if (!WinsBytes(original, operands.axis, behind_dequantize)) continue;
      LATHE_ASSIGN_OR_RETURN(TensorId constant, constants.Get(weights, operands.axis, behind_dequantize));
      if (behind_dequantize) {
        auto [place, first] = expanded.try_emplace(constant);
        if (first) {
          Tensor floats = original;
          floats.buffer = BufferId(0);
          Op dequantize;
          dequantize.kind = OpKind::kDequantize;
          dequantize.inputs = {constant};
          dequantize.outputs = {editor.AddTensor(std::move(floats))};
          dequantize.version = MinimalVersion(model.subgraph(id), dequantize);
          place->second = dequantize.outputs[0];
          editor.InsertBefore(OpId(i), std::move(dequantize));
          ++change.count;
        }
        editor.SetInput(OpId(i), operands.weights, place->second);
      } else {
        editor.SetInput(OpId(i), operands.weights, constant);
        editor.SetVersion(OpId(i), MinimalVersion(model.subgraph(id), model.subgraph(id).ops[i]));
        ++change.count;
      }
    }
    editor.Finish();
  }
  return change;
}

}  // namespace lathe
