#include "optimizer/passes/constant_evaluator.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "optimizer/model/op_options.h"

namespace lathe {
namespace {

constexpr uint64_t kGrowthBytesMax = uint64_t{1} << 20;

bool IsDenseConstant(const Model& model, const Tensor& tensor) {
  const int bits = TypeBits(tensor.type);
  return model.IsConstant(tensor) && tensor.sparsity == nullptr && !tensor.is_variable && bits >= 8 &&
         !tensor.quantization.IsQuantized();
}

uint64_t ByteSize(const Tensor& tensor) {
  return static_cast<uint64_t>(tensor.NumElements()) * static_cast<uint64_t>(TypeBits(tensor.type)) / 8;
}

// A constant's values. Copied: a buffer of 8-byte numbers may lie at any 4-byte boundary of the file.
template <typename T>
std::vector<T> Values(const Model& model, const Tensor& tensor) {
  const absl::Span<const uint8_t> bytes = model.buffer(tensor.buffer).bytes();
  std::vector<T> values(bytes.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
  return values;
}

template <typename T>
std::vector<uint8_t> AsBytes(const std::vector<T>& values) {
  std::vector<uint8_t> bytes(values.size() * sizeof(T));
  if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

template <typename T>
bool AllFinite(const std::vector<T>& values) {
  if constexpr (std::is_floating_point_v<T>) {
    return std::all_of(values.begin(), values.end(), [](T value) { return std::isfinite(value); });
  }
  return true;
}

// For each axis of `out`, how far one step along it moves in a dense tensor of `shape` that is broadcast to `out`;
// empty when it does not broadcast.
std::vector<size_t> BroadcastSteps(const std::vector<int32_t>& shape, const std::vector<int32_t>& out) {
  if (shape.size() > out.size()) return {};
  std::vector<size_t> steps(out.size(), 0);
  size_t stride = 1;
  for (size_t i = 0; i < shape.size(); ++i) {
    const int32_t extent = shape[shape.size() - 1 - i];
    const size_t axis = out.size() - 1 - i;
    if (extent != 1 && extent != out[axis]) return {};
    if (extent != 1) steps[axis] = stride;
    stride *= static_cast<size_t>(extent);
  }
  return steps;
}

// Calls visit(place_a, place_b) for every element of `out` in order.
template <typename Visit>
void ForEachPlace(const std::vector<int32_t>& out, const std::vector<size_t>& a, const std::vector<size_t>& b,
                  size_t count, const Visit& visit) {
  std::vector<int32_t> index(out.size(), 0);
  size_t place_a = 0, place_b = 0;
  for (size_t i = 0; i < count; ++i) {
    visit(place_a, place_b);
    for (size_t axis = out.size(); axis-- > 0;) {
      place_a += a[axis];
      place_b += b[axis];
      if (++index[axis] < out[axis]) break;
      place_a -= a[axis] * static_cast<size_t>(out[axis]);
      place_b -= b[axis] * static_cast<size_t>(out[axis]);
      index[axis] = 0;
    }
  }
}

template <typename T>
T Apply(OpKind kind, T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    using U = std::make_unsigned_t<T>;
    const U x = static_cast<U>(a), y = static_cast<U>(b);
    return static_cast<T>(kind == OpKind::kAdd ? x + y : kind == OpKind::kSub ? x - y : x * y);
  } else {
    switch (kind) {
      case OpKind::kAdd:
        return a + b;
      case OpKind::kSub:
        return a - b;
      case OpKind::kMul:
        return a * b;
      default:
        return a / b;
    }
  }
}

template <typename T>
bool ApplyActivation(Activation activation, std::vector<T>& values) {
  if (activation == Activation::kNone) return true;
  if (activation != Activation::kRelu && activation != Activation::kRelu6) return false;
  for (T& value : values) {
    value = std::max(value, T{0});
    if (activation == Activation::kRelu6) value = std::min(value, T{6});
  }
  return true;
}

template <typename T>
std::optional<std::vector<uint8_t>> Binary(const Model& model, const Tensor& a, const Tensor& b, const Tensor& out,
                                           const Op& op) {
  const std::vector<size_t> steps_a = BroadcastSteps(a.shape, out.shape), steps_b = BroadcastSteps(b.shape, out.shape);
  if (steps_a.size() != out.shape.size() || steps_b.size() != out.shape.size()) return std::nullopt;
  // The result is as large as the operands ask for, not larger.
  for (size_t axis = 0; axis < out.shape.size(); ++axis) {
    if (out.shape[axis] != 1 && steps_a[axis] == 0 && steps_b[axis] == 0) return std::nullopt;
  }
  const std::vector<T> x = Values<T>(model, a), y = Values<T>(model, b);
  std::vector<T> result;
  result.reserve(static_cast<size_t>(out.NumElements()));
  ForEachPlace(out.shape, steps_a, steps_b, static_cast<size_t>(out.NumElements()),
               [&](size_t i, size_t j) { result.push_back(Apply(op.kind, x[i], y[j])); });
  if (!ApplyActivation(FusedActivation(op), result) || !AllFinite(result)) return std::nullopt;
  return AsBytes(result);
}

std::optional<std::vector<uint8_t>> EvaluateBinary(const Model& model, const Subgraph& graph, const Op& op) {
  const Tensor &a = graph.tensor(op.inputs[0]), &b = graph.tensor(op.inputs[1]), &out = graph.tensor(op.outputs[0]);
  if (a.type != b.type || a.type != out.type) return std::nullopt;
  if (a.type == TensorType::kFloat32) return Binary<float>(model, a, b, out, op);
  if (op.kind == OpKind::kDiv) return std::nullopt;
  if (a.type == TensorType::kInt32) return Binary<int32_t>(model, a, b, out, op);
  if (a.type == TensorType::kInt64) return Binary<int64_t>(model, a, b, out, op);
  return std::nullopt;
}

std::optional<std::vector<uint8_t>> EvaluateUnary(const Model& model, const Tensor& in, const Tensor& out,
                                                  OpKind kind) {
  if (in.type != TensorType::kFloat32 || out.type != in.type || in.shape != out.shape) return std::nullopt;
  std::vector<float> values = Values<float>(model, in);
  for (float& value : values) {
    value = kind == OpKind::kNeg ? -value : kind == OpKind::kSqrt ? std::sqrt(value) : 1.0f / std::sqrt(value);
  }
  if (!AllFinite(values)) return std::nullopt;
  return AsBytes(values);
}

template <typename From, typename To>
std::optional<std::vector<uint8_t>> CastValues(const std::vector<From>& values) {
  std::vector<To> result;
  result.reserve(values.size());
  for (From value : values) {
    if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
      // The largest float below 2^31 (2^63): the limit itself is not a float. What lies beyond has no defined result.
      const From limit = static_cast<From>(std::numeric_limits<To>::max() / 2 + 1) * 2;
      if (!(value >= -limit && value < limit)) return std::nullopt;
    }
    result.push_back(static_cast<To>(value));
  }
  return AsBytes(result);
}

template <typename From>
std::optional<std::vector<uint8_t>> CastTo(const std::vector<From>& values, TensorType to) {
  switch (to) {
    case TensorType::kFloat32:
      return CastValues<From, float>(values);
    case TensorType::kInt32:
      return CastValues<From, int32_t>(values);
    case TensorType::kInt64:
      return CastValues<From, int64_t>(values);
    default:
      return std::nullopt;
  }
}

std::optional<std::vector<uint8_t>> EvaluateCast(const Model& model, const Tensor& in, const Tensor& out) {
  if (in.shape != out.shape) return std::nullopt;
  switch (in.type) {
    case TensorType::kFloat32:
      return CastTo(Values<float>(model, in), out.type);
    case TensorType::kInt32:
      return CastTo(Values<int32_t>(model, in), out.type);
    case TensorType::kInt64:
      return CastTo(Values<int64_t>(model, in), out.type);
    case TensorType::kBool:
      return CastTo(Values<uint8_t>(model, in), out.type);
    default:
      return std::nullopt;
  }
}

std::optional<std::vector<uint8_t>> EvaluateTranspose(const Model& model, const Tensor& in, const Tensor& permutation,
                                                      const Tensor& out) {
  const size_t rank = in.shape.size();
  if (in.type != out.type || out.shape.size() != rank || permutation.type != TensorType::kInt32) return std::nullopt;
  if (static_cast<size_t>(permutation.NumElements()) != rank) return std::nullopt;
  std::vector<size_t> strides(rank, 1), steps(rank, 0);
  for (size_t d = rank; d-- > 1;) strides[d - 1] = strides[d] * static_cast<size_t>(in.shape[d]);
  std::vector<bool> seen(rank, false);
  for (size_t d = 0; d < rank; ++d) {
    const int32_t from = Values<int32_t>(model, permutation)[d];
    if (from < 0 || static_cast<size_t>(from) >= rank || seen[static_cast<size_t>(from)]) return std::nullopt;
    seen[static_cast<size_t>(from)] = true;
    if (out.shape[d] != in.shape[static_cast<size_t>(from)]) return std::nullopt;
    steps[d] = strides[static_cast<size_t>(from)];
  }
  const size_t width = static_cast<size_t>(TypeBits(in.type)) / 8;
  const absl::Span<const uint8_t> bytes = model.buffer(in.buffer).bytes();
  std::vector<uint8_t> result;
  result.reserve(bytes.size());
  ForEachPlace(out.shape, steps, steps, static_cast<size_t>(out.NumElements()), [&](size_t place, size_t) {
    const uint8_t* element = bytes.data() + place * width;
    result.insert(result.end(), element, element + width);
  });
  return result;
}

bool Foldable(const Model& model, const Subgraph& graph, const Op& op) {
  if (op.inputs.empty() || op.outputs.size() != 1 || !op.outputs[0].valid()) return false;
  const Tensor& out = graph.tensor(op.outputs[0]);
  if (out.HasDynamicShape() || out.is_variable || out.quantization.IsQuantized() || TypeBits(out.type) < 8)
    return false;
  uint64_t bytes = kGrowthBytesMax;
  for (TensorId id : op.inputs) {
    if (!id.valid() || !IsDenseConstant(model, graph.tensor(id))) return false;
    bytes += ByteSize(graph.tensor(id));
  }
  return out.NumElements() > 0 && ByteSize(out) <= bytes;
}

}  // namespace

bool IsConstantView(const Model& model, const Subgraph& subgraph, const Op& op) {
  if (op.kind != OpKind::kReshape && op.kind != OpKind::kSqueeze && op.kind != OpKind::kExpandDims) return false;
  if (!Foldable(model, subgraph, op)) return false;
  const Tensor &in = subgraph.tensor(op.inputs[0]), &out = subgraph.tensor(op.outputs[0]);
  return in.type == out.type && in.NumElements() == out.NumElements();
}

std::optional<std::vector<uint8_t>> EvaluateConstant(const Model& model, const Subgraph& subgraph, const Op& op) {
  if (!Foldable(model, subgraph, op)) return std::nullopt;
  const Tensor &in = subgraph.tensor(op.inputs[0]), &out = subgraph.tensor(op.outputs[0]);
  switch (op.kind) {
    case OpKind::kAdd:
    case OpKind::kSub:
    case OpKind::kMul:
    case OpKind::kDiv:
      return EvaluateBinary(model, subgraph, op);
    case OpKind::kNeg:
    case OpKind::kSqrt:
    case OpKind::kRsqrt:
      return EvaluateUnary(model, in, out, op.kind);
    case OpKind::kCast:
      return EvaluateCast(model, in, out);
    case OpKind::kTranspose:
      return EvaluateTranspose(model, in, subgraph.tensor(op.inputs[1]), out);
    default:
      return std::nullopt;
  }
}

}  // namespace lathe
