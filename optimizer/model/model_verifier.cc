#include "optimizer/model/model_verifier.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/status.h"
#include "optimizer/model/op_options.h"
#include "optimizer/model/operand_counts.h"
#include "optimizer/model/sparsity_verifier.h"

namespace lathe {
namespace {

template <typename... Args>
absl::Status Corrupt(const absl::FormatSpec<Args...>& format, const Args&... args) {
  return MakeError(absl::StatusCode::kInvalidArgument, "MODEL_CORRUPT", absl::StrFormat(format, args...));
}

template <typename Tag, typename T>
bool InRange(Id<Tag> id, const std::vector<T>& of) {
  return id.valid() && id.index() < of.size();
}

// a * b, or the largest number where that is not exact.
uint64_t SaturatingProduct(uint64_t a, uint64_t b) {
  uint64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? std::numeric_limits<uint64_t>::max() : product;
}

// Bytes of a dense tensor; sub-byte types are packed without gaps.
uint64_t DenseBytes(const Tensor& tensor) {
  const uint64_t bits =
      SaturatingProduct(static_cast<uint64_t>(tensor.NumElements()), static_cast<uint64_t>(TypeBits(tensor.type)));
  return bits / 8 + (bits % 8 != 0 ? 1 : 0);
}

struct Range {
  int64_t lowest, highest;
};

std::optional<Range> ZeroPointRange(TensorType type) {
  switch (type) {
    case TensorType::kInt2:
      return Range{-2, 1};
    case TensorType::kInt4:
      return Range{-8, 7};
    case TensorType::kUint4:
      return Range{0, 15};
    case TensorType::kInt8:
      return Range{-128, 127};
    case TensorType::kUint8:
      return Range{0, 255};
    case TensorType::kInt16:
      return Range{-32768, 32767};
    case TensorType::kUint16:
      return Range{0, 65535};
    default:
      return std::nullopt;
  }
}

class Verifier {
 public:
  explicit Verifier(const Model& model) : model_(model) {}

  absl::Status Run() {
    if (model_.subgraphs.empty()) return Corrupt("the model has no subgraph");
    if (model_.buffers.empty()) return Corrupt("the model has no buffer 0");
    for (size_t i = 0; i < model_.subgraphs.size(); ++i) LATHE_RETURN_IF_ERROR(CheckSubgraph(SubgraphId(i)));
    LATHE_RETURN_IF_ERROR(CheckRecursion());
    for (size_t i = 0; i < model_.signatures.size(); ++i) LATHE_RETURN_IF_ERROR(CheckSignature(i));
    return CheckMetadata();
  }

 private:
  absl::Status CheckSubgraph(SubgraphId id);
  absl::Status CheckTensor(SubgraphId subgraph, TensorId id);
  absl::Status CheckShape(const std::string& place, const Tensor& tensor);
  absl::Status CheckData(const std::string& place, const Tensor& tensor);
  absl::Status CheckQuantization(const Subgraph& subgraph, const std::string& place, const Tensor& tensor);
  absl::Status CheckOperands(const Subgraph& subgraph, const std::string& place, const Op& op);
  absl::Status CheckWeights(const Subgraph& subgraph, const std::string& place, const Op& op);
  absl::Status CheckOptions(const std::string& place, const Op& op);
  absl::Status CheckOrder(SubgraphId id);
  absl::Status CheckRecursion();
  absl::Status CheckSignature(size_t index);
  absl::Status CheckMetadata();

  const Model& model_;
  uint64_t activation_bytes_ = 0;
};

absl::Status Verifier::CheckSubgraph(SubgraphId id) {
  const Subgraph& subgraph = model_.subgraph(id);
  for (size_t t = 0; t < subgraph.tensors.size(); ++t) LATHE_RETURN_IF_ERROR(CheckTensor(id, TensorId(t)));
  const auto check_list = [&](const std::vector<TensorId>& list, const char* what) -> absl::Status {
    for (size_t i = 0; i < list.size(); ++i) {
      if (!InRange(list[i], subgraph.tensors))
        return Corrupt("subgraph %d, %s %d: tensor %d, but the subgraph has %d", id.value, what, i, list[i].value,
                       subgraph.tensors.size());
    }
    return absl::OkStatus();
  };
  LATHE_RETURN_IF_ERROR(check_list(subgraph.inputs, "input"));
  LATHE_RETURN_IF_ERROR(check_list(subgraph.outputs, "output"));
  for (size_t i = 0; i < subgraph.ops.size(); ++i) {
    const Op& op = subgraph.ops[i];
    const std::string place = Where(id, OpId(i), op);
    LATHE_RETURN_IF_ERROR(CheckOperands(subgraph, place, op));
    LATHE_RETURN_IF_ERROR(CheckOptions(place, op));
    LATHE_RETURN_IF_ERROR(CheckWeights(subgraph, place, op));
  }
  return CheckOrder(id);
}

absl::Status Verifier::CheckTensor(SubgraphId subgraph, TensorId id) {
  const Tensor& tensor = model_.subgraph(subgraph).tensor(id);
  const std::string place = Where(subgraph, id, tensor);
  if (!IsKnownTensorType(static_cast<int32_t>(tensor.type)))
    return Corrupt("%s: type %d is not a tensor type", place, static_cast<int32_t>(tensor.type));
  if (!InRange(tensor.buffer, model_.buffers))
    return Corrupt("%s: buffer %d, but the model has %d", place, tensor.buffer.value, model_.buffers.size());
  LATHE_RETURN_IF_ERROR(CheckShape(place, tensor));
  LATHE_RETURN_IF_ERROR(CheckData(place, tensor));
  return CheckQuantization(model_.subgraph(subgraph), place, tensor);
}

absl::Status Verifier::CheckShape(const std::string& place, const Tensor& tensor) {
  uint64_t elements = 1;
  bool empty = false;
  for (int32_t dimension : tensor.shape) {
    if (dimension < 0) return Corrupt("%s: negative dimension in shape [%s]", place, absl::StrJoin(tensor.shape, ","));
    if (dimension == 0) empty = true;
    // A zero elsewhere must not hide a product that overflows in code that multiplies from the left.
    elements = SaturatingProduct(elements, static_cast<uint64_t>(std::max(dimension, 1)));
  }
  if (elements > static_cast<uint64_t>(kTensorElementsMax)) {
    const uint64_t bits = static_cast<uint64_t>(TypeBits(tensor.type));
    const uint64_t bytes = bits < 8 ? elements / (bits == 0 ? 1 : 8 / bits) : SaturatingProduct(elements, bits / 8);
    return Corrupt("%s: shape [%s] of %s asks for %s%d bytes%s; at most %d elements are accepted", place,
                   absl::StrJoin(tensor.shape, ","), TensorTypeName(tensor.type),
                   bytes == std::numeric_limits<uint64_t>::max() ? "more than " : "", bytes,
                   empty ? " (were no dimension 0)" : "", kTensorElementsMax);
  }
  if (!tensor.shape_signature.empty() && tensor.shape_signature.size() != tensor.shape.size())
    return Corrupt("%s: shape_signature has %d dimensions, shape has %d", place, tensor.shape_signature.size(),
                   tensor.shape.size());
  for (int32_t dimension : tensor.shape_signature) {
    if (dimension < -1) return Corrupt("%s: dimension %d in shape_signature; only -1 means dynamic", place, dimension);
  }
  return absl::OkStatus();
}

absl::Status Verifier::CheckData(const std::string& place, const Tensor& tensor) {
  const int bits = TypeBits(tensor.type);
  if (!model_.IsConstant(tensor)) {
    activation_bytes_ += DenseBytes(tensor);
    if (activation_bytes_ > static_cast<uint64_t>(kActivationBytesMax))
      return Corrupt("%s: its %d bytes bring the tensors without data above %d bytes, more than any device holds",
                     place, DenseBytes(tensor), kActivationBytesMax);
    return absl::OkStatus();
  }
  const uint64_t bytes = model_.buffer(tensor.buffer).bytes().size();
  if (tensor.sparsity != nullptr) return Annotate(VerifySparsity(tensor, bytes), place);
  if (bits == 0 || bytes == DenseBytes(tensor)) return absl::OkStatus();
  return Corrupt("%s: buffer %d has %d bytes, but shape [%s] of %s takes %d", place, tensor.buffer.value, bytes,
                 absl::StrJoin(tensor.shape, ","), TensorTypeName(tensor.type), DenseBytes(tensor));
}

absl::Status Verifier::CheckQuantization(const Subgraph& subgraph, const std::string& place, const Tensor& tensor) {
  const Quantization& quantization = tensor.quantization;
  for (TensorId id : DetailTensors(quantization)) {
    // Zero points may be left out.
    if (id.valid() && !InRange(id, subgraph.tensors))
      return Corrupt("%s: quantization details name tensor %d, but the subgraph has %d", place, id.value,
                     subgraph.tensors.size());
  }
  const size_t scales = quantization.scale.size();
  if (scales == 0) return absl::OkStatus();
  if (quantization.zero_point.size() != scales)
    return Corrupt("%s: %d scales, but %d zero points", place, scales, quantization.zero_point.size());
  for (float scale : quantization.scale) {
    if (!std::isfinite(scale)) return Corrupt("%s: a quantization scale is NaN or infinite", place);
  }
  if (scales > 1) {
    const int32_t axis = quantization.quantized_dimension;
    if (axis < 0 || static_cast<size_t>(axis) >= tensor.shape.size())
      return Corrupt("%s: quantized_dimension %d, but the shape has %d dimensions", place, axis, tensor.shape.size());
    if (static_cast<size_t>(tensor.shape[static_cast<size_t>(axis)]) != scales)
      return Corrupt("%s: %d scales, but dimension %d is %d", place, scales, axis,
                     tensor.shape[static_cast<size_t>(axis)]);
  }
  const auto range = ZeroPointRange(tensor.type);
  if (!range) return absl::OkStatus();
  for (int64_t zero_point : quantization.zero_point) {
    if (zero_point < range->lowest || zero_point > range->highest)
      return Corrupt("%s: zero point %d is outside %s", place, zero_point, TensorTypeName(tensor.type));
  }
  return absl::OkStatus();
}

absl::Status Verifier::CheckOperands(const Subgraph& subgraph, const std::string& place, const Op& op) {
  if (!IsKnownOpKind(static_cast<int32_t>(op.kind)))
    return Corrupt("%s: kind %d is not an operator", place, static_cast<int32_t>(op.kind));
  const auto check_list = [&](const std::vector<TensorId>& list, const char* what) -> absl::Status {
    for (size_t i = 0; i < list.size(); ++i) {
      // -1 is an operand left out.
      if (list[i].value < -1 || (list[i].valid() && !InRange(list[i], subgraph.tensors)))
        return Corrupt("%s: %s %d is tensor %d, but the subgraph has %d", place, what, i, list[i].value,
                       subgraph.tensors.size());
    }
    return absl::OkStatus();
  };
  LATHE_RETURN_IF_ERROR(check_list(op.inputs, "input"));
  LATHE_RETURN_IF_ERROR(check_list(op.outputs, "output"));
  LATHE_RETURN_IF_ERROR(check_list(op.intermediates, "intermediate"));
  const OperandCounts* counts = FindOperandCounts(op.kind);
  if (counts == nullptr) return absl::OkStatus();
  if (op.inputs.size() < counts->inputs_min || op.inputs.size() > counts->inputs_max)
    return Corrupt("%s: %d inputs, but the operator takes %d to %d", place, op.inputs.size(), counts->inputs_min,
                   counts->inputs_max);
  if (op.outputs.size() < counts->outputs_min || op.outputs.size() > counts->outputs_max)
    return Corrupt("%s: %d outputs, but the operator has %d to %d", place, op.outputs.size(), counts->outputs_min,
                   counts->outputs_max);
  for (size_t i = 0; i < counts->inputs_min && counts->inputs_required; ++i) {
    if (!op.inputs[i].valid()) return Corrupt("%s: input %d is left out, but the operator needs it", place, i);
  }
  for (size_t i = 0; i < counts->outputs_min; ++i) {
    if (!op.outputs[i].valid()) return Corrupt("%s: output %d is left out", place, i);
  }
  return absl::OkStatus();
}

// Passes index the weights' dimensions.
absl::Status Verifier::CheckWeights(const Subgraph& subgraph, const std::string& place, const Op& op) {
  size_t rank = 0;
  switch (op.kind) {
    case OpKind::kConv2d:
    case OpKind::kDepthwiseConv2d:
    case OpKind::kTransposeConv:
      rank = 4;
      break;
    case OpKind::kFullyConnected:
      rank = 2;
      break;
    default:
      return absl::OkStatus();
  }
  const Tensor& weights = subgraph.tensor(op.inputs[1]);
  if (!model_.IsConstant(weights) || weights.shape.size() == rank) return absl::OkStatus();
  return Corrupt("%s: weights (tensor %d) have shape [%s]; %d dimensions are expected", place, op.inputs[1].value,
                 absl::StrJoin(weights.shape, ","), rank);
}

absl::Status Verifier::CheckOptions(const std::string& place, const Op& op) {
  const auto activation = static_cast<int>(FusedActivation(op));
  if (activation < 0 || activation > static_cast<int>(Activation::kSignBit))
    return Corrupt("%s: fused activation %d does not exist", place, activation);
  const auto positive = [](int32_t a, int32_t b) { return a > 0 && b > 0; };
  if (const auto conv = GetConvOptions(op)) {
    if (!positive(conv->stride_h, conv->stride_w) || !positive(conv->dilation_h, conv->dilation_w))
      return Corrupt("%s: strides %dx%d, dilation %dx%d; all must be positive", place, conv->stride_h, conv->stride_w,
                     conv->dilation_h, conv->dilation_w);
  }
  if (const auto pool = GetPoolOptions(op)) {
    if (!positive(pool->stride_h, pool->stride_w) || !positive(pool->filter_h, pool->filter_w))
      return Corrupt("%s: strides %dx%d, filter %dx%d; all must be positive", place, pool->stride_h, pool->stride_w,
                     pool->filter_h, pool->filter_w);
  }
  for (SubgraphId id : ReferencedSubgraphs(op)) {
    if (!InRange(id, model_.subgraphs))
      return Corrupt("%s: runs subgraph %d, but the model has %d", place, id.value, model_.subgraphs.size());
  }
  return absl::OkStatus();
}

// Operators run in file order, so a tensor that is read before it is written, or never written, makes a cycle or a
// hole.
absl::Status Verifier::CheckOrder(SubgraphId id) {
  const Subgraph& subgraph = model_.subgraph(id);
  std::vector<bool> ready(subgraph.tensors.size(), false);
  for (size_t t = 0; t < subgraph.tensors.size(); ++t) {
    const Tensor& tensor = subgraph.tensors[t];
    // A tensor without elements needs no data: the empty shape operand of a RESHAPE to a scalar.
    ready[t] = model_.IsConstant(tensor) || tensor.is_variable || tensor.NumElements() == 0;
  }
  for (TensorId input : subgraph.inputs) ready[input.index()] = true;
  std::vector<OpId> writer(subgraph.tensors.size());
  for (size_t i = 0; i < subgraph.ops.size(); ++i) {
    const Op& op = subgraph.ops[i];
    for (TensorId input : op.inputs) {
      if (input.valid() && !ready[input.index()])
        return Corrupt(
            "%s reads a tensor that no earlier operator writes (%s): the operators are out of order, form a cycle, or "
            "one is missing",
            Where(id, OpId(i), op), Where(id, input, subgraph.tensor(input)));
    }
    for (TensorId output : op.outputs) {
      if (!output.valid()) continue;
      const Tensor& tensor = subgraph.tensor(output);
      if (writer[output.index()].valid())
        return Corrupt("%s: written by operator %d and again by operator %d", Where(id, output, tensor),
                       writer[output.index()].value, i);
      if (model_.IsConstant(tensor))
        return Corrupt("%s: a constant, but operator %d writes it", Where(id, output, tensor), i);
      writer[output.index()] = OpId(i);
      ready[output.index()] = true;
    }
  }
  for (TensorId output : subgraph.outputs) {
    if (!ready[output.index()])
      return Corrupt("%s: an output of the subgraph, but no operator writes it",
                     Where(id, output, subgraph.tensor(output)));
  }
  return absl::OkStatus();
}

// A subgraph that runs itself, directly or through others, never ends. Subgraphs are taken away once all their callers
// are; what is left over is on a cycle or behind one.
absl::Status Verifier::CheckRecursion() {
  std::vector<std::vector<SubgraphId>> callees(model_.subgraphs.size());
  std::vector<size_t> callers(model_.subgraphs.size(), 0);
  for (size_t s = 0; s < model_.subgraphs.size(); ++s) {
    for (const Op& op : model_.subgraphs[s].ops) {
      for (SubgraphId callee : ReferencedSubgraphs(op)) {
        callees[s].push_back(callee);
        ++callers[callee.index()];
      }
    }
  }
  std::vector<size_t> free;
  for (size_t s = 0; s < callers.size(); ++s) {
    if (callers[s] == 0) free.push_back(s);
  }
  for (size_t next = 0; next < free.size(); ++next) {
    for (SubgraphId callee : callees[free[next]]) {
      if (--callers[callee.index()] == 0) free.push_back(callee.index());
    }
  }
  if (free.size() == callers.size()) return absl::OkStatus();
  const auto stuck = std::find_if(callers.begin(), callers.end(), [](size_t count) { return count > 0; });
  return Corrupt("subgraph %d runs itself, directly or through other subgraphs; such a model never ends",
                 stuck - callers.begin());
}

absl::Status Verifier::CheckSignature(size_t index) {
  const Signature& signature = model_.signatures[index];
  if (!InRange(signature.subgraph, model_.subgraphs))
    return Corrupt("signature %d: subgraph %d, but the model has %d", index, signature.subgraph.value,
                   model_.subgraphs.size());
  const Subgraph& subgraph = model_.subgraph(signature.subgraph);
  const auto check_list = [&](const std::vector<SignatureEntry>& entries, const char* what) -> absl::Status {
    for (size_t i = 0; i < entries.size(); ++i) {
      if (!InRange(entries[i].tensor, subgraph.tensors))
        return Corrupt("signature %d, %s %d: tensor %d, but subgraph %d has %d", index, what, i,
                       entries[i].tensor.value, signature.subgraph.value, subgraph.tensors.size());
    }
    return absl::OkStatus();
  };
  LATHE_RETURN_IF_ERROR(check_list(signature.inputs, "input"));
  return check_list(signature.outputs, "output");
}

absl::Status Verifier::CheckMetadata() {
  for (size_t i = 0; i < model_.metadata.size(); ++i) {
    if (!InRange(model_.metadata[i].buffer, model_.buffers))
      return Corrupt("metadata %d: buffer %d, but the model has %d", i, model_.metadata[i].buffer.value,
                     model_.buffers.size());
  }
  for (size_t i = 0; i < model_.metadata_buffers.size(); ++i) {
    if (!InRange(model_.metadata_buffers[i], model_.buffers))
      return Corrupt("metadata_buffer %d: buffer %d, but the model has %d", i, model_.metadata_buffers[i].value,
                     model_.buffers.size());
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status VerifyModel(const Model& model) { return Verifier(model).Run(); }

}  // namespace lathe
