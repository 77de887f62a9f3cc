#include "optimizer/model/op_options.h"

#include <flatbuffers/flexbuffers.h>

#include <algorithm>
#include <utility>

#include "optimizer/model/schema_generated.h"

namespace lathe {
namespace {

// The operator's options as table T, or null when it carries another kind or none.
template <typename T>
const T* As(const OpOptions& options) {
  const auto& table = options.builtin;
  if (table == nullptr || table->type != tflite::BuiltinOptionsUnionTraits<T>::enum_value) return nullptr;
  return static_cast<const T*>(table->value);
}

template <typename T>
const T* As2(const OpOptions& options) {
  const auto& table = options.builtin2;
  if (table == nullptr || table->type != tflite::BuiltinOptions2UnionTraits<T>::enum_value) return nullptr;
  return static_cast<const T*>(table->value);
}

template <typename T>
OpOptions Make(T table) {
  auto holder = std::make_shared<tflite::BuiltinOptionsUnion>();
  holder->Set(std::move(table));
  OpOptions options;
  options.builtin = std::move(holder);
  return options;
}

Activation FromFile(tflite::ActivationFunctionType activation) { return static_cast<Activation>(activation); }
tflite::ActivationFunctionType ToFile(Activation activation) {
  return static_cast<tflite::ActivationFunctionType>(activation);
}
tflite::Padding PaddingOf(bool same) { return same ? tflite::Padding::SAME : tflite::Padding::VALID; }
TensorType FromFile(tflite::TensorType type) { return static_cast<TensorType>(type); }
tflite::TensorType ToFile(TensorType type) { return static_cast<tflite::TensorType>(type); }

// The first of Tables that the operator carries, through `read`; `otherwise` when it carries none of them.
template <typename... Tables, typename Result, typename Read>
Result FirstOf(const OpOptions& options, Result otherwise, const Read& read) {
  Result result = otherwise;
  static_cast<void>(((As<Tables>(options) != nullptr && ((result = read(*As<Tables>(options))), true)) || ...));
  return result;
}

// A copy of whichever of Tables the operator carries, changed by `change`; the options as they are otherwise.
template <typename... Tables, typename Change>
OpOptions Changed(const OpOptions& options, const Change& change) {
  OpOptions result = options;
  const auto try_one = [&]<typename T>(const T* table) {
    if (table == nullptr) return false;
    T copy = *table;
    change(copy);
    result.builtin = Make(std::move(copy)).builtin;
    return true;
  };
  static_cast<void>((try_one(As<Tables>(options)) || ...));
  return result;
}

template <typename T>
std::optional<int32_t> AxisOf(const Op& op) {
  const T* table = As<T>(op.options);
  return table == nullptr ? std::nullopt : std::optional<int32_t>(table->axis);
}

template <typename Pack>
std::string Packed(const Pack& pack) {
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(flatbuffers::Offset<void>(pack(builder)));
  return {reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize()};
}

}  // namespace

Activation FusedActivation(const Op& op) {
  return FirstOf<tflite::Conv2DOptionsT, tflite::DepthwiseConv2DOptionsT, tflite::FullyConnectedOptionsT,
                 tflite::Pool2DOptionsT, tflite::AddOptionsT, tflite::SubOptionsT, tflite::MulOptionsT,
                 tflite::DivOptionsT, tflite::ConcatenationOptionsT, tflite::TransposeConvOptionsT,
                 tflite::Conv3DOptionsT, tflite::L2NormOptionsT, tflite::SVDFOptionsT, tflite::RNNOptionsT,
                 tflite::SequenceRNNOptionsT, tflite::BidirectionalSequenceRNNOptionsT, tflite::LSTMOptionsT,
                 tflite::UnidirectionalSequenceLSTMOptionsT, tflite::BidirectionalSequenceLSTMOptionsT>(
      op.options, Activation::kNone, [](const auto& table) { return FromFile(table.fused_activation_function); });
}

std::optional<ConvOptions> GetConvOptions(const Op& op) {
  ConvOptions result;
  const auto common = [&result](const auto& table) {
    result.same_padding = table.padding == tflite::Padding::SAME;
    result.stride_h = table.stride_h;
    result.stride_w = table.stride_w;
    result.activation = FromFile(table.fused_activation_function);
  };
  const auto dilation = [&result](const auto& table) {
    result.dilation_h = table.dilation_h_factor;
    result.dilation_w = table.dilation_w_factor;
  };
  if (const auto* conv = As<tflite::Conv2DOptionsT>(op.options)) {
    common(*conv);
    dilation(*conv);
    result.quantized_bias_type = FromFile(conv->quantized_bias_type);
  } else if (const auto* depthwise = As<tflite::DepthwiseConv2DOptionsT>(op.options)) {
    common(*depthwise);
    dilation(*depthwise);
    result.depth_multiplier = depthwise->depth_multiplier;
  } else if (const auto* transpose = As<tflite::TransposeConvOptionsT>(op.options)) {
    common(*transpose);
    result.quantized_bias_type = FromFile(transpose->quantized_bias_type);
  } else {
    return std::nullopt;
  }
  return result;
}

std::optional<FullyConnectedOptions> GetFullyConnectedOptions(const Op& op) {
  const auto* table = As<tflite::FullyConnectedOptionsT>(op.options);
  if (table == nullptr) return std::nullopt;
  return FullyConnectedOptions{
      .activation = FromFile(table->fused_activation_function),
      .default_weights_format = table->weights_format == tflite::FullyConnectedOptionsWeightsFormat::DEFAULT,
      .keep_num_dims = table->keep_num_dims,
      .asymmetric_quantize_inputs = table->asymmetric_quantize_inputs,
      .quantized_bias_type = FromFile(table->quantized_bias_type)};
}

std::optional<PoolOptions> GetPoolOptions(const Op& op) {
  const auto* table = As<tflite::Pool2DOptionsT>(op.options);
  if (table == nullptr) return std::nullopt;
  return PoolOptions{.same_padding = table->padding == tflite::Padding::SAME,
                     .stride_h = table->stride_h,
                     .stride_w = table->stride_w,
                     .filter_h = table->filter_height,
                     .filter_w = table->filter_width,
                     .activation = FromFile(table->fused_activation_function)};
}

std::optional<float> GetSoftmaxBeta(const Op& op) {
  const auto* table = As<tflite::SoftmaxOptionsT>(op.options);
  return table == nullptr ? std::nullopt : std::optional<float>(table->beta);
}

std::optional<BatchMatmulOptions> GetBatchMatmulOptions(const Op& op) {
  const auto* table = As<tflite::BatchMatMulOptionsT>(op.options);
  if (table == nullptr) return std::nullopt;
  return BatchMatmulOptions{
      .adj_x = table->adj_x, .adj_y = table->adj_y, .asymmetric_quantize_inputs = table->asymmetric_quantize_inputs};
}

std::optional<int32_t> GetConcatenationAxis(const Op& op) { return AxisOf<tflite::ConcatenationOptionsT>(op); }

std::optional<bool> GetKeepDims(const Op& op) {
  const auto* table = As<tflite::ReducerOptionsT>(op.options);
  return table == nullptr ? std::nullopt : std::optional<bool>(table->keep_dims);
}

std::optional<int32_t> GetGatherAxis(const Op& op) { return AxisOf<tflite::GatherOptionsT>(op); }

std::optional<int32_t> GetBlockSize(const Op& op) {
  return FirstOf<tflite::DepthToSpaceOptionsT, tflite::SpaceToDepthOptionsT>(
      op.options, std::optional<int32_t>(), [](const auto& table) { return std::optional<int32_t>(table.block_size); });
}

std::optional<float> GetLeakyReluAlpha(const Op& op) {
  const auto* table = As<tflite::LeakyReluOptionsT>(op.options);
  return table == nullptr ? std::nullopt : std::optional<float>(table->alpha);
}

std::optional<StridedSliceMasks> GetStridedSliceMasks(const Op& op) {
  const auto* table = As<tflite::StridedSliceOptionsT>(op.options);
  if (table == nullptr) return std::nullopt;
  return StridedSliceMasks{table->ellipsis_mask, table->new_axis_mask, table->shrink_axis_mask};
}

std::optional<int32_t> GetPackAxis(const Op& op) { return AxisOf<tflite::PackOptionsT>(op); }

bool PadsByReflection(const Op& op) {
  const auto* table = As<tflite::MirrorPadOptionsT>(op.options);
  return table != nullptr && table->mode == tflite::MirrorPadMode::REFLECT;
}

bool ClipsLstm(const Op& op) {
  const auto* table = As<tflite::LSTMOptionsT>(op.options);
  return table != nullptr && (table->cell_clip != 0 || table->proj_clip != 0);
}

bool HasFullLstmKernel(const Op& op) {
  if (const auto* lstm = As<tflite::LSTMOptionsT>(op.options)) return lstm->kernel_type == tflite::LSTMKernelType::FULL;
  const auto* sequence = As<tflite::UnidirectionalSequenceLSTMOptionsT>(op.options);
  return sequence != nullptr && !sequence->diagonal_recurrent_tensors;
}

bool AsymmetricQuantizeInputs(const Op& op) {
  return FirstOf<tflite::FullyConnectedOptionsT, tflite::BatchMatMulOptionsT, tflite::SVDFOptionsT, tflite::RNNOptionsT,
                 tflite::SequenceRNNOptionsT, tflite::BidirectionalSequenceRNNOptionsT, tflite::LSTMOptionsT,
                 tflite::UnidirectionalSequenceLSTMOptionsT, tflite::BidirectionalSequenceLSTMOptionsT>(
      op.options, false, [](const auto& table) { return table.asymmetric_quantize_inputs; });
}

OpOptions WithAsymmetricQuantizeInputs(const Op& op, bool value) {
  return Changed<tflite::FullyConnectedOptionsT, tflite::BatchMatMulOptionsT, tflite::SVDFOptionsT, tflite::RNNOptionsT,
                 tflite::SequenceRNNOptionsT, tflite::BidirectionalSequenceRNNOptionsT, tflite::LSTMOptionsT,
                 tflite::UnidirectionalSequenceLSTMOptionsT, tflite::BidirectionalSequenceLSTMOptionsT>(
      op.options, [value](auto& table) { table.asymmetric_quantize_inputs = value; });
}

OpOptions WithFusedActivation(const Op& op, Activation activation) {
  return Changed<tflite::Conv2DOptionsT, tflite::DepthwiseConv2DOptionsT, tflite::FullyConnectedOptionsT,
                 tflite::Pool2DOptionsT, tflite::AddOptionsT, tflite::SubOptionsT, tflite::MulOptionsT,
                 tflite::DivOptionsT, tflite::ConcatenationOptionsT, tflite::TransposeConvOptionsT>(
      op.options, [activation](auto& table) { table.fused_activation_function = ToFile(activation); });
}

OpOptions WithPotScaleInt16(const Op& op, bool value) {
  Op with = op;
  if (op.options.builtin == nullptr && op.kind == OpKind::kAdd) with.options = MakeAddOptions();
  if (op.options.builtin == nullptr && op.kind == OpKind::kSub) with.options = MakeSubOptions();
  return Changed<tflite::AddOptionsT, tflite::SubOptionsT>(with.options,
                                                           [value](auto& table) { table.pot_scale_int16 = value; });
}

std::vector<SubgraphId> ReferencedSubgraphs(const Op& op) {
  std::vector<SubgraphId> result;
  const auto add = [&result](int32_t subgraph) { result.push_back(SubgraphId(subgraph)); };
  if (const auto* call = As<tflite::CallOptionsT>(op.options)) {
    add(call->subgraph > INT32_MAX ? INT32_MAX : static_cast<int32_t>(call->subgraph));
  } else if (const auto* branch = As<tflite::IfOptionsT>(op.options)) {
    add(branch->then_subgraph_index);
    add(branch->else_subgraph_index);
  } else if (const auto* loop = As<tflite::WhileOptionsT>(op.options)) {
    add(loop->cond_subgraph_index);
    add(loop->body_subgraph_index);
  } else if (const auto* once = As<tflite::CallOnceOptionsT>(op.options)) {
    add(once->init_subgraph_index);
  }
  if (const auto* window = As2<tflite::StablehloReduceWindowOptionsT>(op.options)) add(window->body_subgraph_index);
  if (const auto* loop = As2<tflite::StablehloWhileOptionsT>(op.options)) {
    add(loop->cond_subgraph_index);
    add(loop->body_subgraph_index);
  }
  if (const auto* sort = As2<tflite::StablehloSortOptionsT>(op.options)) add(sort->comparator_subgraph_index);
  if (const auto* reduce = As2<tflite::StablehloReduceOptionsT>(op.options)) add(reduce->body_subgraph_index);
  if (const auto* scatter = As2<tflite::StablehloScatterOptionsT>(op.options))
    add(scatter->update_computation_subgraph_index);
  if (const auto* composite = As2<tflite::StableHLOCompositeOptionsT>(op.options))
    add(composite->decomposition_subgraph_index);
  if (const auto* cases = As2<tflite::StablehloCaseOptionsT>(op.options)) {
    for (int32_t branch : cases->branch_subgraph_indices) add(branch);
  }
  if (const auto* call = As2<tflite::StablehloCustomCallOptionsT>(op.options)) {
    for (int32_t computation : call->called_computations) add(computation);
  }
  return result;
}

OpOptions MakeConvOptions(const ConvOptions& options) {
  tflite::Conv2DOptionsT table;
  table.padding = PaddingOf(options.same_padding);
  table.stride_h = options.stride_h;
  table.stride_w = options.stride_w;
  table.dilation_h_factor = options.dilation_h;
  table.dilation_w_factor = options.dilation_w;
  table.fused_activation_function = ToFile(options.activation);
  table.quantized_bias_type = ToFile(options.quantized_bias_type);
  return Make(std::move(table));
}

OpOptions MakeDepthwiseConvOptions(const ConvOptions& options) {
  tflite::DepthwiseConv2DOptionsT table;
  table.padding = PaddingOf(options.same_padding);
  table.stride_h = options.stride_h;
  table.stride_w = options.stride_w;
  table.depth_multiplier = options.depth_multiplier;
  table.dilation_h_factor = options.dilation_h;
  table.dilation_w_factor = options.dilation_w;
  table.fused_activation_function = ToFile(options.activation);
  return Make(std::move(table));
}

OpOptions MakeTransposeConvOptions(const ConvOptions& options) {
  tflite::TransposeConvOptionsT table;
  table.padding = PaddingOf(options.same_padding);
  table.stride_h = options.stride_h;
  table.stride_w = options.stride_w;
  table.fused_activation_function = ToFile(options.activation);
  table.quantized_bias_type = ToFile(options.quantized_bias_type);
  return Make(std::move(table));
}

OpOptions MakeFullyConnectedOptions(const FullyConnectedOptions& options) {
  tflite::FullyConnectedOptionsT table;
  table.fused_activation_function = ToFile(options.activation);
  table.weights_format = options.default_weights_format ? tflite::FullyConnectedOptionsWeightsFormat::DEFAULT
                                                        : tflite::FullyConnectedOptionsWeightsFormat::SHUFFLED4x16INT8;
  table.keep_num_dims = options.keep_num_dims;
  table.asymmetric_quantize_inputs = options.asymmetric_quantize_inputs;
  table.quantized_bias_type = ToFile(options.quantized_bias_type);
  return Make(std::move(table));
}

OpOptions MakePoolOptions(const PoolOptions& options) {
  tflite::Pool2DOptionsT table;
  table.padding = PaddingOf(options.same_padding);
  table.stride_h = options.stride_h;
  table.stride_w = options.stride_w;
  table.filter_height = options.filter_h;
  table.filter_width = options.filter_w;
  table.fused_activation_function = ToFile(options.activation);
  return Make(std::move(table));
}

OpOptions MakeAddOptions(Activation activation) {
  tflite::AddOptionsT table;
  table.fused_activation_function = ToFile(activation);
  return Make(std::move(table));
}

OpOptions MakeMulOptions(Activation activation) {
  tflite::MulOptionsT table;
  table.fused_activation_function = ToFile(activation);
  return Make(std::move(table));
}

OpOptions MakeSubOptions(Activation activation) {
  tflite::SubOptionsT table;
  table.fused_activation_function = ToFile(activation);
  return Make(std::move(table));
}

OpOptions MakeReshapeOptions(absl::Span<const int32_t> new_shape) {
  tflite::ReshapeOptionsT table;
  table.new_shape.assign(new_shape.begin(), new_shape.end());
  return Make(std::move(table));
}

OpOptions MakeSoftmaxOptions(float beta) {
  tflite::SoftmaxOptionsT table;
  table.beta = beta;
  return Make(std::move(table));
}

OpOptions MakeConcatenationOptions(int32_t axis, Activation activation) {
  tflite::ConcatenationOptionsT table;
  table.axis = axis;
  table.fused_activation_function = ToFile(activation);
  return Make(std::move(table));
}

OpOptions MakeReducerOptions(bool keep_dims) {
  tflite::ReducerOptionsT table;
  table.keep_dims = keep_dims;
  return Make(std::move(table));
}

OpOptions MakeGatherOptions(int32_t axis, int32_t batch_dims) {
  tflite::GatherOptionsT table;
  table.axis = axis;
  table.batch_dims = batch_dims;
  return Make(std::move(table));
}

OpOptions MakeBatchMatmulOptions(const BatchMatmulOptions& options) {
  tflite::BatchMatMulOptionsT table;
  table.adj_x = options.adj_x;
  table.adj_y = options.adj_y;
  table.asymmetric_quantize_inputs = options.asymmetric_quantize_inputs;
  return Make(std::move(table));
}

OpOptions MakeDepthToSpaceOptions(int32_t block_size) {
  tflite::DepthToSpaceOptionsT table;
  table.block_size = block_size;
  return Make(std::move(table));
}

OpOptions MakeLeakyReluOptions(float alpha) {
  tflite::LeakyReluOptionsT table;
  table.alpha = alpha;
  return Make(std::move(table));
}

OpOptions MakeRecurrentOptions(OpKind kind, Activation activation, int32_t rank) {
  const auto make = [&](auto table) {
    table.fused_activation_function = ToFile(activation);
    return Make(std::move(table));
  };
  if (kind == OpKind::kLstm) return make(tflite::LSTMOptionsT());
  if (kind == OpKind::kUnidirectionalSequenceLstm) return make(tflite::UnidirectionalSequenceLSTMOptionsT());
  if (kind == OpKind::kUnidirectionalSequenceRnn) return make(tflite::SequenceRNNOptionsT());
  if (kind == OpKind::kRnn) return make(tflite::RNNOptionsT());
  tflite::SVDFOptionsT svdf;
  svdf.rank = rank;
  return make(std::move(svdf));
}

OpOptions MakeIfOptions(SubgraphId then_subgraph, SubgraphId else_subgraph) {
  tflite::IfOptionsT table;
  table.then_subgraph_index = then_subgraph.value;
  table.else_subgraph_index = else_subgraph.value;
  return Make(std::move(table));
}

OpOptions MakeWhileOptions(SubgraphId condition, SubgraphId body) {
  tflite::WhileOptionsT table;
  table.cond_subgraph_index = condition.value;
  table.body_subgraph_index = body.value;
  return Make(std::move(table));
}

OpOptions MakeCallOnceOptions(SubgraphId init) {
  tflite::CallOnceOptionsT table;
  table.init_subgraph_index = init.value;
  return Make(std::move(table));
}

OpOptions MakeVarHandleOptions(const std::string& container, const std::string& shared_name) {
  tflite::VarHandleOptionsT table;
  table.container = container;
  table.shared_name = shared_name;
  return Make(std::move(table));
}

OpOptions MakeCompositeOptions(const std::string& name, SubgraphId decomposition) {
  tflite::StableHLOCompositeOptionsT table;
  table.name = name;
  table.decomposition_subgraph_index = decomposition.value;
  flexbuffers::Builder attributes;  // the runtime asks for them even where there are none
  attributes.Map([] {});
  attributes.Finish();
  table.composite_attributes = attributes.GetBuffer();
  auto holder = std::make_shared<tflite::BuiltinOptions2Union>();
  holder->Set(std::move(table));
  OpOptions options;
  options.builtin2 = std::move(holder);
  return options;
}

bool SameOptions(const OpOptions& a, const OpOptions& b) {
  return (a.builtin == b.builtin && a.builtin2 == b.builtin2 && a.custom == b.custom) ||
         (OptionsTypeName(a) == OptionsTypeName(b) && OptionsBytes(a) == OptionsBytes(b));
}

std::string OptionsTypeName(const OpOptions& options) {
  if (options.builtin != nullptr) return tflite::EnumNameBuiltinOptions(options.builtin->type);
  if (options.builtin2 != nullptr) return tflite::EnumNameBuiltinOptions2(options.builtin2->type);
  return options.custom.empty() ? "" : "Custom";
}

std::string OptionsBytes(const OpOptions& options) {
  std::string bytes;
  if (options.builtin != nullptr) bytes += Packed([&](auto& builder) { return options.builtin->Pack(builder); });
  if (options.builtin2 != nullptr) bytes += Packed([&](auto& builder) { return options.builtin2->Pack(builder); });
  bytes.append(options.custom.begin(), options.custom.end());
  return bytes;
}

std::string SparsityBytes(const Tensor& tensor) {
  if (tensor.sparsity == nullptr) return "";
  return Packed(
      [&](auto& builder) { return tflite::CreateSparsityParameters(builder, tensor.sparsity.get()).Union(); });
}

std::string QuantizationDetailsBytes(const Quantization& quantization) {
  if (quantization.details == nullptr) return "";
  return tflite::EnumNameQuantizationDetails(quantization.details->type) +
         Packed([&](auto& builder) { return quantization.details->Pack(builder); });
}

std::string VariantTensorsBytes(const Tensor& tensor) {
  std::string bytes;
  for (const auto& variant : tensor.variant_tensors) {
    bytes += Packed([&](auto& builder) { return tflite::CreateVariantSubType(builder, variant.get()).Union(); });
  }
  return bytes;
}

std::vector<TensorId> DetailTensors(const Quantization& quantization) {
  if (quantization.details == nullptr) return {};
  if (const auto* blockwise = quantization.details->AsBlockwiseQuantization())
    return {TensorId(blockwise->scales), TensorId(blockwise->zero_points)};
  if (const auto* axes = quantization.details->AsMultiAxisQuantization())
    return {TensorId(axes->scales), TensorId(axes->zero_points)};
  return {};
}

void SetDetailTensors(Quantization& quantization, absl::Span<const TensorId> tensors) {
  if (quantization.details == nullptr || tensors.size() != 2) return;
  auto holder = std::make_shared<tflite::QuantizationDetailsUnion>();
  const auto set = [&](auto table) {
    table.scales = tensors[0].value;
    table.zero_points = tensors[1].value;
    holder->Set(std::move(table));
    quantization.details = holder;
  };
  if (const auto* blockwise = quantization.details->AsBlockwiseQuantization()) {
    set(*blockwise);
  } else if (const auto* axes = quantization.details->AsMultiAxisQuantization()) {
    set(*axes);
  }
}

Quantization MakeBlockwiseQuantization(TensorId scales, int32_t block_size) {
  tflite::BlockwiseQuantizationT table;
  table.scales = scales.value;
  table.zero_points = -1;
  table.block_size = block_size;
  auto holder = std::make_shared<tflite::QuantizationDetailsUnion>();
  holder->Set(std::move(table));
  Quantization quantization;
  quantization.details = std::move(holder);
  return quantization;
}

std::optional<int32_t> GetQuantizationBlockSize(const Quantization& quantization) {
  if (quantization.details == nullptr) return std::nullopt;
  const auto* blockwise = quantization.details->AsBlockwiseQuantization();
  return blockwise == nullptr ? std::nullopt : std::make_optional(blockwise->block_size);
}

namespace {

std::vector<int32_t> Values(const tflite::SparseIndexVectorUnion& numbers) {
  if (const auto* wide = numbers.AsInt32Vector()) return wide->values;
  if (const auto* middle = numbers.AsUint16Vector()) return {middle->values.begin(), middle->values.end()};
  if (const auto* narrow = numbers.AsUint8Vector()) return {narrow->values.begin(), narrow->values.end()};
  return {};
}

tflite::SparseIndexVectorUnion Narrowest(const std::vector<int32_t>& values) {
  tflite::SparseIndexVectorUnion numbers;
  const int32_t highest = values.empty() ? 0 : *std::max_element(values.begin(), values.end());
  const auto fill = [&](auto table) {
    for (int32_t value : values)
      table.values.push_back(static_cast<typename decltype(table.values)::value_type>(value));
    numbers.Set(std::move(table));
  };
  if (highest <= UINT8_MAX) {
    fill(tflite::Uint8VectorT());
  } else if (highest <= UINT16_MAX) {
    fill(tflite::Uint16VectorT());
  } else {
    fill(tflite::Int32VectorT());
  }
  return numbers;
}

}  // namespace

std::optional<SparsityView> GetSparsity(const Tensor& tensor) {
  if (tensor.sparsity == nullptr) return std::nullopt;
  SparsityView view{tensor.sparsity->traversal_order, tensor.sparsity->block_map, {}};
  for (const auto& dimension : tensor.sparsity->dim_metadata) {
    view.dimensions.push_back(SparseDimension{.dense = dimension->format == tflite::DimensionType::DENSE,
                                              .dense_size = dimension->dense_size,
                                              .segments = Values(dimension->array_segments),
                                              .indices = Values(dimension->array_indices)});
  }
  return view;
}

void SetSparsity(Tensor& tensor, const SparsityView& view) {
  auto sparsity = std::make_shared<tflite::SparsityParametersT>();
  sparsity->traversal_order = view.traversal_order;
  sparsity->block_map = view.block_map;
  for (const SparseDimension& from : view.dimensions) {
    auto dimension = std::make_unique<tflite::DimensionMetadataT>();
    dimension->format = from.dense ? tflite::DimensionType::DENSE : tflite::DimensionType::SPARSE_CSR;
    dimension->dense_size = from.dense_size;
    if (!from.dense) {
      dimension->array_segments = Narrowest(from.segments);
      dimension->array_indices = Narrowest(from.indices);
    }
    sparsity->dim_metadata.push_back(std::move(dimension));
  }
  tensor.sparsity = std::move(sparsity);
}

}  // namespace lathe
