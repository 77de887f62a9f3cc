#include "optimizer/passes/fold_constants_pass.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "optimizer/math/quantize.h"
#include "optimizer/model/graph_editor.h"
#include "optimizer/model/op_options.h"
#include "optimizer/model/sparse_values.h"
#include "optimizer/model/uses.h"
#include "optimizer/passes/constant_evaluator.h"
#include "optimizer/passes/weights.h"

namespace lathe {
namespace {

// A sparse constant is expanded only if at least about a hundredth of it is stored: a file of a few bytes must not ask
// for a terabyte, and what is sparser than that is smaller as it is.
constexpr int64_t kDensifyGrowthMax = 100;

int Bits(const QuantizeSettings& settings) { return settings.weights.bits.value_or(8); }

// Folds the constants of one subgraph.
class Folder {
 public:
  Folder(Model& model, SubgraphId subgraph, const QuantizeSettings& settings, const PassContext& context)
      : model_(model),
        subgraph_(subgraph),
        settings_(settings),
        context_(context),
        uses_(model.subgraph(subgraph)),
        editor_(model, subgraph) {}

  absl::StatusOr<int64_t> Fold() {
    int64_t count = 0;
    for (size_t i = 0; i < graph().ops.size(); ++i) {
      LATHE_RETURN_IF_ERROR(context_.cancel.Check());
      const Op& op = graph().ops[i];
      if (op.outputs.size() != 1 || !op.outputs[0].valid() || uses_.IsSubgraphOutput(op.outputs[0])) continue;
      if (!FoldOp(op)) continue;
      editor_.Erase(OpId(i));
      ++count;
    }
    editor_.Finish();
    return count;
  }

 private:
  Subgraph& graph() { return model_.subgraph(subgraph_); }

  const QuantizeSettings& SettingsOf(const Op& op) const {
    return context_.settings == nullptr ? settings_ : context_.settings->For(subgraph_, op);
  }

  // True when the output has become a constant.
  bool FoldOp(const Op& op) {
    std::optional<std::vector<uint8_t>> bytes;
    if (op.kind == OpKind::kDequantize) {
      bytes = Dequantized(op);
    } else if (op.kind == OpKind::kDensify) {
      bytes = Dense(op);
    } else if (IsConstantView(model_, graph(), op)) {
      Tensor view = graph().tensor(op.outputs[0]);
      view.buffer = graph().tensor(op.inputs[0]).buffer;
      editor_.SetTensor(op.outputs[0], std::move(view));
      return true;
    } else {
      bytes = EvaluateConstant(model_, graph(), op);
    }
    if (!bytes) return false;
    editor_.SetData(op.outputs[0], *std::move(bytes));
    return true;
  }

  std::optional<std::vector<uint8_t>> Dequantized(const Op& op) {
    const TensorId id = op.input(0), result = op.outputs[0];
    if (!id.valid() || !IsPlainConstant(id) || graph().tensor(id).sparsity != nullptr) return std::nullopt;
    const Tensor& from = graph().tensor(id);
    if (graph().tensor(result).type != TensorType::kFloat32 || graph().tensor(result).shape != from.shape) {
      return std::nullopt;
    }
    if (from.type == TensorType::kFloat16) return AnyReaderWantsFloats(result) ? FromHalves(from) : std::nullopt;
    if (!EveryReaderTakesItsWeightsElsewhere(result, TypeBits(from.type))) return std::nullopt;
    return FromIntegers(from);
  }

  std::optional<std::vector<uint8_t>> Dense(const Op& op) {
    const TensorId id = op.input(0), result = op.outputs[0];
    if (!id.valid() || !IsPlainConstant(id) || graph().tensor(id).sparsity == nullptr) return std::nullopt;
    const Tensor& from = graph().tensor(id);
    if (from.type != TensorType::kFloat32 && from.type != TensorType::kFloat16) return std::nullopt;
    if (graph().tensor(result).type != from.type || graph().tensor(result).shape != from.shape) return std::nullopt;
    if (from.NumElements() == 0 || !AnyReaderWantsFloats(result)) return std::nullopt;
    const absl::Span<const uint8_t> stored = model_.buffer(from.buffer).bytes();
    const int64_t bytes = from.NumElements() * TypeBits(from.type) / 8;
    if (bytes / kDensifyGrowthMax > static_cast<int64_t>(stored.size()) || !IsDensifiable(from)) return std::nullopt;
    return Densify(from, stored);
  }

  bool IsPlainConstant(TensorId id) {
    const Tensor& tensor = graph().tensor(id);
    return model_.IsConstant(tensor) && !tensor.is_variable && tensor.NumElements() > 0;
  }

  std::optional<std::vector<uint8_t>> FromHalves(const Tensor& from) {
    const absl::Span<const uint8_t> halves = model_.buffer(from.buffer).bytes();
    std::vector<uint8_t> bytes(halves.size() * 2);
    math::FromFloat16(absl::MakeSpan(reinterpret_cast<const uint16_t*>(halves.data()), halves.size() / 2),
                      absl::MakeSpan(reinterpret_cast<float*>(bytes.data()), bytes.size() / 4));
    return bytes;
  }

  // Symmetric integers as float32. Nullopt for a zero point or a value that a symmetric grid of 8 bits does not have:
  // they would not come back as the same integers.
  std::optional<std::vector<uint8_t>> FromIntegers(const Tensor& from) {
    const Quantization& quantization = from.quantization;
    if ((from.type != TensorType::kInt8 && from.type != TensorType::kInt4) || quantization.scale.empty()) {
      return std::nullopt;
    }
    for (int64_t zero_point : quantization.zero_point) {
      if (zero_point != 0) return std::nullopt;
    }
    const absl::Span<const uint8_t> stored = model_.buffer(from.buffer).bytes();
    const size_t axis = quantization.scale.size() == 1 ? 0 : static_cast<size_t>(quantization.quantized_dimension);
    const math::ChannelLayout layout = LayoutAlong(from, static_cast<int32_t>(axis));
    std::vector<uint8_t> bytes(static_cast<size_t>(from.NumElements()) * sizeof(float));
    const absl::Span<float> values(reinterpret_cast<float*>(bytes.data()), bytes.size() / sizeof(float));
    for (size_t i = 0; i < values.size(); ++i) {
      const int level = from.type == TensorType::kInt8 ? static_cast<int8_t>(stored[i]) : Int4At(stored, i);
      if (level < -127) return std::nullopt;
      const size_t channel = i / static_cast<size_t>(layout.inner) % static_cast<size_t>(layout.channels);
      values[i] = quantization.scale[quantization.scale.size() == 1 ? 0 : channel] * static_cast<float>(level);
      if (!std::isfinite(values[i])) return std::nullopt;
    }
    return bytes;
  }

  // Two's complement, the even element in the low half of the byte.
  static int Int4At(absl::Span<const uint8_t> packed, size_t i) {
    const int nibble = (packed[i / 2] >> (i % 2 == 0 ? 0 : 4)) & 15;
    return nibble < 8 ? nibble : nibble - 16;
  }

  static bool WantsFloats(const QuantizeSettings& settings) {
    const Scheme scheme = settings.scheme.value_or(Scheme::kNone);
    return scheme == Scheme::kDynamicRange || scheme == Scheme::kWeightOnly || scheme == Scheme::kFullInteger;
  }

  // DENSIFY may stand before a DEQUANTIZE: then that one's readers count.
  bool AnyReaderWantsFloats(TensorId id) {
    const auto& readers = uses_.consumers(id);
    return std::any_of(readers.begin(), readers.end(), [&](OpId reader) {
      const Op& op = graph().ops[reader.index()];
      if (op.kind != OpKind::kDequantize) return WantsFloats(SettingsOf(op));
      const auto& behind = uses_.consumers(op.outputs[0]);
      return std::any_of(behind.begin(), behind.end(),
                         [&](OpId last) { return WantsFloats(SettingsOf(graph().ops[last.index()])); });
    });
  }

  // True when each reader's scheme stores its weights in another form than behind a DEQUANTIZE in `stored_bits`.
  bool EveryReaderTakesItsWeightsElsewhere(TensorId id, int stored_bits) {
    const auto& readers = uses_.consumers(id);
    return !readers.empty() && std::all_of(readers.begin(), readers.end(), [&](OpId reader) {
      const Op& op = graph().ops[reader.index()];
      const std::optional<WeightOperands> operands = GetWeightOperands(op.kind);
      if (!operands || op.input(operands->weights) != id) return false;
      const QuantizeSettings& settings = SettingsOf(op);
      switch (settings.scheme.value_or(Scheme::kNone)) {
        case Scheme::kNone:
        case Scheme::kFloat16:
          return false;
        case Scheme::kWeightOnly:
          // Depthwise weights stay in 8 bits behind a DEQUANTIZE in both of these schemes.
          return op.kind != OpKind::kDepthwiseConv2d && Bits(settings) < stored_bits;
        case Scheme::kDynamicRange:
          return op.kind != OpKind::kDepthwiseConv2d;
        case Scheme::kFullInteger:
          return true;
      }
      return false;
    });
  }

  Model& model_;
  const SubgraphId subgraph_;
  const QuantizeSettings& settings_;
  const PassContext& context_;
  const UseMap uses_;
  GraphEditor editor_;
};

}  // namespace

absl::StatusOr<Change> FoldConstantsPass::Edit(Model& model, PassContext& context) const {
  Change change;
  for (size_t s = 0; s < model.subgraphs.size(); ++s) {
    LATHE_ASSIGN_OR_RETURN(int64_t folded, Folder(model, SubgraphId(s), settings_, context).Fold());
    change.count += folded;
  }
  return change;
}

}  // namespace lathe
