#include "optimizer/passes/stored_constant.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "optimizer/math/packing.h"
#include "optimizer/model/op_options.h"
#include "optimizer/model/sparse_values.h"
#include "optimizer/passes/weights.h"

namespace lathe {
namespace {

constexpr double kLargestFloat16 = 65504;

// Bits of a packed type, 8 for others.
int PackedBits(TensorType type) { return TypeBits(type) > 0 && TypeBits(type) < 8 ? TypeBits(type) : 8; }

template <typename T>
std::vector<int64_t> Widen(absl::Span<const uint8_t> bytes) {
  std::vector<int64_t> levels(bytes.size() / sizeof(T));
  for (size_t i = 0; i < levels.size(); ++i) {
    T value;
    std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
    levels[i] = static_cast<int64_t>(value);
  }
  return levels;
}

// Empty: no integer type.
std::vector<int64_t> ReadLevels(TensorType type, absl::Span<const uint8_t> bytes, size_t count) {
  switch (type) {
    case TensorType::kInt2:
    case TensorType::kInt4: {
      std::vector<int8_t> levels(count);
      if (bytes.size() < math::PackedBytes(count, PackedBits(type))) return {};
      math::UnpackLevels(bytes.first(math::PackedBytes(count, PackedBits(type))), PackedBits(type),
                         absl::MakeSpan(levels));
      return {levels.begin(), levels.end()};
    }
    case TensorType::kInt8:
      return Widen<int8_t>(bytes);
    case TensorType::kUint8:
      return Widen<uint8_t>(bytes);
    case TensorType::kInt16:
      return Widen<int16_t>(bytes);
    case TensorType::kInt32:
      return Widen<int32_t>(bytes);
    case TensorType::kInt64:
      return Widen<int64_t>(bytes);
    default:
      return {};
  }
}

std::vector<float> HalfFloats(absl::Span<const uint8_t> bytes) {
  std::vector<uint16_t> halves(bytes.size() / sizeof(uint16_t));
  if (!halves.empty()) std::memcpy(halves.data(), bytes.data(), halves.size() * sizeof(uint16_t));
  std::vector<float> values(halves.size());
  math::FromFloat16(halves, absl::MakeSpan(values));
  return values;
}

bool ReadFloats(TensorType type, absl::Span<const uint8_t> bytes, std::vector<float>& values) {
  if (type == TensorType::kFloat16) {
    values = HalfFloats(bytes);
  } else if (type == TensorType::kFloat32) {
    values.resize(bytes.size() / sizeof(float));
    if (!values.empty()) std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
  } else {
    return false;
  }
  return true;
}

// The grid of integers. False: none, or one that does not fit the shape.
bool ReadGrid(const Model& model, const Subgraph& subgraph, const Tensor& tensor, StoredConstant& constant) {
  const Quantization& quantization = tensor.quantization;
  if (const auto block_size = GetQuantizationBlockSize(quantization)) {
    const std::vector<TensorId> details = DetailTensors(quantization);
    if (tensor.shape.size() != 2 || *block_size < 1 || details.empty() || !details[0].valid() ||
        details[0].index() >= subgraph.tensors.size()) {
      return false;
    }
    const Tensor& scales = subgraph.tensor(details[0]);
    if (!model.IsConstant(scales) || !ReadFloats(scales.type, model.buffer(scales.buffer).bytes(), constant.scales)) {
      return false;
    }
    constant.block_size = *block_size;
    constant.layout = LayoutAlong(tensor, 0);
    return tensor.shape[1] % *block_size == 0 &&
           static_cast<int64_t>(constant.scales.size()) == int64_t{tensor.shape[0]} * (tensor.shape[1] / *block_size);
  }
  if (quantization.scale.empty() || quantization.details != nullptr) return false;
  const int32_t axis = quantization.scale.size() == 1 ? 0 : quantization.quantized_dimension;
  if (quantization.scale.size() > 1 && (axis < 0 || static_cast<size_t>(axis) >= tensor.shape.size())) return false;
  constant.layout = LayoutAlong(tensor, axis);
  constant.scales = quantization.scale;
  constant.zero_points = quantization.zero_point;
  return constant.scales.size() == 1 || static_cast<int64_t>(constant.scales.size()) == constant.layout.channels;
}

bool ReadIntegers(const Model& model, const Subgraph& subgraph, const Tensor& tensor, absl::Span<const uint8_t> bytes,
                  StoredConstant& constant) {
  const auto count = static_cast<size_t>(tensor.NumElements());
  const std::vector<int64_t> levels = ReadLevels(tensor.type, bytes, count);
  if (levels.size() != count || levels.empty() || !ReadGrid(model, subgraph, tensor, constant)) return false;
  constant.zero_points.resize(constant.scales.size(), constant.zero_points.empty() ? 0 : constant.zero_points[0]);
  constant.values.resize(count);
  const int bits = TypeBits(tensor.type);
  constant.lowest_level = tensor.type == TensorType::kUint8 ? 0
                          : bits <= 8                       ? math::LowestLevel(bits)
                                                            : -(std::numeric_limits<int64_t>::max() >> (64 - bits));
  for (size_t i = 0; i < count; ++i) {
    const size_t at = constant.ScaleIndex(i);
    constant.lowest_level = std::min(constant.lowest_level, levels[i]);
    constant.values[i] =
        static_cast<float>(static_cast<double>(levels[i] - constant.zero_points[at]) * double{constant.scales[at]});
  }
  return true;
}

}  // namespace

size_t StoredConstant::ScaleIndex(size_t i) const {
  if (block_size > 0) return i / static_cast<size_t>(block_size);  // rows are whole blocks
  if (scales.size() == 1) return 0;
  return i / static_cast<size_t>(layout.inner) % static_cast<size_t>(layout.channels);
}

StoredConstant::Limits StoredConstant::LimitsOf(size_t scale_index) const {
  if (type == TensorType::kFloat16) return {-kLargestFloat16, kLargestFloat16};
  if (scales.empty()) return {-std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()};
  const int bits = TypeBits(type);
  const double highest = type == TensorType::kUint8 ? 255 : std::ldexp(1, bits - 1) - 1;
  const double scale = double{scales[scale_index]};
  const auto zero = static_cast<double>(zero_points[scale_index]);
  return {scale * (static_cast<double>(lowest_level) - zero), scale * (highest - zero)};
}

TensorId FindStoredConstant(const Model& model, const Subgraph& subgraph, const UseMap& uses, TensorId operand) {
  for (int step = 0; step < 4 && operand.valid(); ++step) {
    if (model.IsConstant(subgraph.tensor(operand))) return operand;
    const OpId producer = uses.producer(operand);
    if (!producer.valid()) return TensorId();
    const Op& op = subgraph.ops[producer.index()];
    if (op.kind != OpKind::kDequantize && op.kind != OpKind::kDensify) return TensorId();
    operand = op.input(0);
  }
  return TensorId();
}

std::optional<StoredConstant> ReadStoredConstant(const Model& model, const Subgraph& subgraph, const UseMap& uses,
                                                 TensorId operand) {
  const TensorId id = FindStoredConstant(model, subgraph, uses, operand);
  if (!id.valid()) return std::nullopt;
  const Tensor& tensor = subgraph.tensor(id);
  absl::Span<const uint8_t> bytes = model.buffer(tensor.buffer).bytes();
  std::vector<uint8_t> dense;
  if (tensor.sparsity != nullptr) {
    if (!IsDensifiable(tensor)) return std::nullopt;
    dense = Densify(tensor, bytes);
    bytes = dense;
  }
  StoredConstant constant;
  constant.tensor = id;
  constant.type = tensor.type;
  constant.shape = tensor.shape;
  if (!ReadFloats(tensor.type, bytes, constant.values) && !ReadIntegers(model, subgraph, tensor, bytes, constant)) {
    return std::nullopt;
  }
  if (static_cast<int64_t>(constant.values.size()) != tensor.NumElements()) return std::nullopt;
  const bool finite =
      std::all_of(constant.values.begin(), constant.values.end(), [](float v) { return std::isfinite(v); });
  return finite ? std::make_optional(std::move(constant)) : std::nullopt;
}

}  // namespace lathe
