#include "optimizer/passes/integer_constants.h"

#include <cmath>
#include <utility>

#include "optimizer/math/packing.h"
#include "optimizer/math/quantize.h"
#include "optimizer/math/weight_error.h"
#include "optimizer/model/op_options.h"
#include "optimizer/passes/versions.h"
#include "optimizer/passes/weights.h"

namespace lathe {
namespace {

TensorType TypeOfBits(int bits) {
  return bits == 8 ? TensorType::kInt8 : bits == 4 ? TensorType::kInt4 : TensorType::kInt2;
}

math::ChannelLayout LayoutOf(const Tensor& tensor, const IntegerConstant& form) {
  switch (form.granularity) {
    case ScaleGranularity::kTensor:
      return {.outer = 1, .channels = 1, .inner = tensor.NumElements()};
    case ScaleGranularity::kBlock:
      return {.outer = 1, .channels = tensor.NumElements() / form.block_size, .inner = form.block_size};
    case ScaleGranularity::kChannel:
      break;
  }
  return LayoutAlong(tensor, form.axis);
}

bool Fits(const ChosenWeights* chosen, const IntegerConstant& form, math::ChannelLayout layout, size_t elements) {
  return chosen != nullptr && form.granularity == ScaleGranularity::kChannel && chosen->bits == form.bits &&
         chosen->scales.size() == static_cast<size_t>(layout.channels) && chosen->levels.size() == elements;
}

std::vector<uint8_t> Packed(absl::Span<const int8_t> levels, int bits) {
  std::vector<uint8_t> bytes(math::PackedBytes(levels.size(), bits));
  math::PackLevels(levels, bits, absl::MakeSpan(bytes));
  return bytes;
}

// The levels of `values`; int8 ones are written where they stay. Balancing int8 as well changed trained models by -1 to
// +4 dB and made the pass of a large model twice as long.
std::vector<uint8_t> Quantized(absl::Span<const float> values, math::ChannelLayout layout,
                               absl::Span<const float> scales, int bits) {
  if (bits == 8) {
    std::vector<uint8_t> bytes(values.size());
    math::QuantizeWeights(values, layout, scales,
                          absl::MakeSpan(reinterpret_cast<int8_t*>(bytes.data()), bytes.size()));
    return bytes;
  }
  std::vector<int8_t> levels(values.size());
  math::QuantizeWeights(values, layout, scales, absl::MakeSpan(levels), bits);
  math::BalanceRounding(values, layout, scales, bits, absl::MakeSpan(levels));
  return Packed(levels, bits);
}

}  // namespace

IntegerConstants::DataKey IntegerConstants::KeyOf(const Tensor& tensor, const IntegerConstant& form,
                                                  const ChosenWeights* chosen) {
  return DataKey(tensor.buffer, tensor.shape, form.bits, form.granularity, form.axis, form.block_size, form.asymmetric,
                 form.min_error, chosen);
}

absl::StatusOr<IntegerConstants::Stored> IntegerConstants::StoreAsymmetric(const Tensor& tensor) {
  const absl::Span<const float> values = model_.FloatData(tensor);
  const math::MinMax range = math::FindMinMax(values);
  if (!std::isfinite(range.lo) || !std::isfinite(range.hi)) {
    return MakeError(absl::StatusCode::kInvalidArgument, "WEIGHTS_NOT_FINITE",
                     "holds a NaN or an infinity; weights must be finite");
  }
  const math::AffineParams params = math::ChooseInt8Params(range.lo, range.hi);
  std::vector<uint8_t> bytes(values.size());
  math::QuantizeInt8(values, params, absl::MakeSpan(reinterpret_cast<int8_t*>(bytes.data()), bytes.size()));
  Stored stored;
  stored.quantization.scale = {params.scale};
  stored.quantization.zero_point = {params.zero_point};
  stored.buffer = editor_.AddBuffer(std::move(bytes));
  return stored;
}

absl::StatusOr<IntegerConstants::Stored> IntegerConstants::StoreSymmetric(const Tensor& tensor,
                                                                          const IntegerConstant& form,
                                                                          const ChosenWeights* chosen) {
  const absl::Span<const float> values = model_.FloatData(tensor);
  const math::ChannelLayout layout = LayoutOf(tensor, form);
  const bool fits = Fits(chosen, form, layout, values.size());
  std::vector<float> scales(static_cast<size_t>(layout.channels));
  LATHE_RETURN_IF_ERROR(math::ChooseWeightScales(values, layout, absl::MakeSpan(scales), form.bits));
  if (fits) {
    scales = chosen->scales;
  } else if (form.min_error) {
    math::LowerScalesToLeastError(values, layout, form.bits, absl::MakeSpan(scales));
  }
  Stored stored;
  stored.type = TypeOfBits(form.bits);
  if (form.granularity == ScaleGranularity::kBlock) {
    Tensor halves;
    halves.name = tensor.name + "_scales";
    halves.type = TensorType::kFloat16;
    halves.shape = {tensor.shape[0], tensor.shape[1] / form.block_size};
    halves.has_rank = tensor.has_rank;
    std::vector<uint8_t> bytes(scales.size() * sizeof(uint16_t));
    math::RoundToBlockScales(absl::MakeSpan(scales),
                             absl::MakeSpan(reinterpret_cast<uint16_t*>(bytes.data()), scales.size()));
    halves.buffer = editor_.AddBuffer(std::move(bytes));
    stored.quantization = MakeBlockwiseQuantization(editor_.AddTensor(std::move(halves)), form.block_size);
  } else {
    stored.quantization.scale = scales;
    stored.quantization.zero_point.assign(scales.size(), 0);
    if (form.granularity == ScaleGranularity::kChannel) stored.quantization.quantized_dimension = form.axis;
  }
  stored.buffer =
      editor_.AddBuffer(fits ? Packed(chosen->levels, form.bits) : Quantized(values, layout, scales, form.bits));
  return stored;
}

absl::StatusOr<IntegerConstants::Stored> IntegerConstants::Store(const Tensor& tensor, const IntegerConstant& form,
                                                                 const ChosenWeights* chosen) {
  const DataKey key = KeyOf(tensor, form, chosen);
  if (auto found = data_.find(key); found != data_.end()) return found->second;
  LATHE_ASSIGN_OR_RETURN(Stored stored,
                         form.asymmetric ? StoreAsymmetric(tensor) : StoreSymmetric(tensor, form, chosen));
  return data_[key] = std::move(stored);
}

absl::StatusOr<TensorId> IntegerConstants::Get(TensorId weights, const IntegerConstant& form,
                                               const ChosenWeights* chosen) {
  Tensor tensor = model_.subgraph(subgraph_).tensor(weights);
  const bool suffix = form.place == IntegerConstant::Place::kBehindDequantize;
  const auto key = std::make_tuple(weights, KeyOf(tensor, form, chosen), suffix);
  if (auto found = tensors_.find(key); found != tensors_.end()) return found->second;
  absl::StatusOr<Stored> stored = Store(tensor, form, chosen);
  if (!stored.ok()) return Annotate(stored.status(), Where(subgraph_, weights, tensor));
  tensor.type = stored->type;
  if (suffix) tensor.name += "_" + TensorTypeLabel(tensor.type);  // what the DEQUANTIZE writes keeps the name
  tensor.quantization = stored->quantization;
  tensor.buffer = stored->buffer;
  return tensors_[key] = editor_.AddTensor(std::move(tensor));
}

absl::StatusOr<TensorId> IntegerConstants::GetDequantized(TensorId weights, const IntegerConstant& form,
                                                          const ChosenWeights* chosen, OpId reader, bool& is_new) {
  Tensor floats = model_.subgraph(subgraph_).tensor(weights);
  LATHE_ASSIGN_OR_RETURN(TensorId constant, Get(weights, form, chosen));
  const auto found = dequantized_.find(constant);
  is_new = found == dequantized_.end();
  if (!is_new) return found->second;
  floats.buffer = BufferId(0);
  Op dequantize;
  dequantize.kind = OpKind::kDequantize;
  dequantize.inputs = {constant};
  dequantize.outputs = {editor_.AddTensor(std::move(floats))};
  dequantize.version = MinimalVersion(model_.subgraph(subgraph_), dequantize);
  const TensorId result = dequantize.outputs[0];
  editor_.InsertBefore(reader, std::move(dequantize));
  return dequantized_[constant] = result;
}

}  // namespace lathe
