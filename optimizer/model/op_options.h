#ifndef LATHE_OPTIMIZER_MODEL_OP_OPTIONS_H_
#define LATHE_OPTIMIZER_MODEL_OP_OPTIONS_H_

// Reads and makes the options tables of operators without showing the flatbuffer's types. Options are immutable once
// made: to change one field, make new options and give them to GraphEditor::SetOptions.
//
// Getters return nullopt when the operator carries no options of that kind (a hostile or very old file); absent fields
// have the format's defaults.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "optimizer/model/model.h"

namespace lathe {

// Numbers are those of the file.
enum class Activation : int8_t { kNone = 0, kRelu = 1, kReluN1To1 = 2, kRelu6 = 3, kTanh = 4, kSignBit = 5 };

struct ConvOptions {
  bool same_padding = true;  // false: VALID
  int32_t stride_h = 1, stride_w = 1;
  int32_t dilation_h = 1, dilation_w = 1;  // 1 for TRANSPOSE_CONV
  int32_t depth_multiplier = 0;            // DEPTHWISE_CONV_2D only; 0 in some files: take it from the shapes
  Activation activation = Activation::kNone;
  // Type of the bias where the kernel asks (int16 activations); kFloat32 means not set. Not in DEPTHWISE_CONV_2D.
  TensorType quantized_bias_type = TensorType::kFloat32;
  bool operator==(const ConvOptions&) const = default;
};

struct FullyConnectedOptions {
  Activation activation = Activation::kNone;
  bool default_weights_format = true;  // false: a shuffled layout that only its old kernel reads; leave such operators
  bool keep_num_dims = false;
  bool asymmetric_quantize_inputs = false;
  TensorType quantized_bias_type = TensorType::kFloat32;  // as in ConvOptions
  bool operator==(const FullyConnectedOptions&) const = default;
};

struct PoolOptions {
  bool same_padding = true;
  int32_t stride_h = 1, stride_w = 1;
  int32_t filter_h = 1, filter_w = 1;
  Activation activation = Activation::kNone;
  bool operator==(const PoolOptions&) const = default;
};

struct BatchMatmulOptions {
  bool adj_x = false, adj_y = false;
  bool asymmetric_quantize_inputs = false;
  bool operator==(const BatchMatmulOptions&) const = default;
};

// Bits are dimensions of STRIDED_SLICE's operands.
struct StridedSliceMasks {
  int32_t ellipsis = 0, new_axis = 0, shrink_axis = 0;
  bool operator==(const StridedSliceMasks&) const = default;
};

// The activation fused into the operator; kNone for kinds that have no such field, whatever the kind.
Activation FusedActivation(const Op& op);
// CONV_2D, DEPTHWISE_CONV_2D and TRANSPOSE_CONV.
std::optional<ConvOptions> GetConvOptions(const Op& op);
std::optional<FullyConnectedOptions> GetFullyConnectedOptions(const Op& op);
// AVERAGE_POOL_2D, MAX_POOL_2D, L2_POOL_2D.
std::optional<PoolOptions> GetPoolOptions(const Op& op);
std::optional<float> GetSoftmaxBeta(const Op& op);
std::optional<BatchMatmulOptions> GetBatchMatmulOptions(const Op& op);
// As in the file: negative counts from the end.
std::optional<int32_t> GetConcatenationAxis(const Op& op);
// keep_dims of MEAN, SUM, REDUCE_*.
std::optional<bool> GetKeepDims(const Op& op);
std::optional<int32_t> GetGatherAxis(const Op& op);
// Block size of DEPTH_TO_SPACE and SPACE_TO_DEPTH.
std::optional<int32_t> GetBlockSize(const Op& op);
std::optional<float> GetLeakyReluAlpha(const Op& op);
std::optional<StridedSliceMasks> GetStridedSliceMasks(const Op& op);
std::optional<int32_t> GetPackAxis(const Op& op);
// False where MIRROR_PAD repeats the edge, too (SYMMETRIC), and for other kinds.
bool PadsByReflection(const Op& op);
// LSTM alone: its cell or its projection is clipped.
bool ClipsLstm(const Op& op);
// LSTM with the kernel of 20 to 24 operands (the 5-operand BASIC one has no integer weights of its own), and
// UNIDIRECTIONAL_SEQUENCE_LSTM whose recurrent weights are matrices. False for other kinds.
bool HasFullLstmKernel(const Op& op);
// False where the kind has no such field.
bool AsymmetricQuantizeInputs(const Op& op);
// The same options with asymmetric_quantize_inputs set, for every kind that has the field (FULLY_CONNECTED,
// BATCH_MATMUL, LSTM and RNN kinds, SVDF); for other kinds the options as they are.
OpOptions WithAsymmetricQuantizeInputs(const Op& op, bool value);
// The same options with another fused activation, for the convolutions, FULLY_CONNECTED, pools, ADD, SUB, MUL, DIV and
// CONCATENATION; for other kinds the options as they are.
OpOptions WithFusedActivation(const Op& op, Activation activation);

// The same options with pot_scale_int16 set, for ADD and SUB (made when absent); for other kinds the options as they
// are. True, the format's default, makes the int16 kernels expect scales that are powers of two.
OpOptions WithPotScaleInt16(const Op& op, bool value);

// Subgraphs that the operator runs: IF, WHILE, CALL, CALL_ONCE and the STABLEHLO kinds that name some, in the order of
// the table's fields. Ids are as in the file and may be out of range before VerifyModel.
std::vector<SubgraphId> ReferencedSubgraphs(const Op& op);

OpOptions MakeConvOptions(const ConvOptions& options);  // for CONV_2D; depth_multiplier is not written
OpOptions MakeDepthwiseConvOptions(const ConvOptions& options);
OpOptions MakeTransposeConvOptions(const ConvOptions& options);
OpOptions MakeFullyConnectedOptions(const FullyConnectedOptions& options);
OpOptions MakePoolOptions(const PoolOptions& options);
OpOptions MakeAddOptions(Activation activation = Activation::kNone);
OpOptions MakeMulOptions(Activation activation = Activation::kNone);
OpOptions MakeSubOptions(Activation activation = Activation::kNone);
OpOptions MakeReshapeOptions(absl::Span<const int32_t> new_shape);
OpOptions MakeSoftmaxOptions(float beta);
OpOptions MakeConcatenationOptions(int32_t axis, Activation activation = Activation::kNone);
OpOptions MakeReducerOptions(bool keep_dims);
OpOptions MakeGatherOptions(int32_t axis, int32_t batch_dims = 0);
OpOptions MakeBatchMatmulOptions(const BatchMatmulOptions& options);
OpOptions MakeDepthToSpaceOptions(int32_t block_size);
OpOptions MakeLeakyReluOptions(float alpha);
// LSTM with the full kernel, UNIDIRECTIONAL_SEQUENCE_LSTM and _RNN of batch-major data, RNN, SVDF of `rank`; no
// clipping. REQUIRES: `kind` is one of these.
OpOptions MakeRecurrentOptions(OpKind kind, Activation activation, int32_t rank = 1);
OpOptions MakeIfOptions(SubgraphId then_subgraph, SubgraphId else_subgraph);
OpOptions MakeWhileOptions(SubgraphId condition, SubgraphId body);
OpOptions MakeCallOnceOptions(SubgraphId init);
OpOptions MakeVarHandleOptions(const std::string& container, const std::string& shared_name);
OpOptions MakeCompositeOptions(const std::string& name, SubgraphId decomposition);  // STABLEHLO_COMPOSITE

// True when a file written with either would hold the same options.
bool SameOptions(const OpOptions& a, const OpOptions& b);

// For the text dump. "Conv2DOptions"; "" for none, "Custom" for custom bytes alone.
std::string OptionsTypeName(const OpOptions& options);
// The options tables as packed bytes (equal options give equal bytes), with the custom bytes.
std::string OptionsBytes(const OpOptions& options);
// The same for the parts of a tensor that are kept as read: sparsity, quantization details, variant types. "" for none.
std::string SparsityBytes(const Tensor& tensor);
std::string QuantizationDetailsBytes(const Quantization& quantization);
std::string VariantTensorsBytes(const Tensor& tensor);

// Tensors of the same subgraph that blockwise quantization details name (scales, zero points); empty for other schemes.
std::vector<TensorId> DetailTensors(const Quantization& quantization);
// Renames them. REQUIRES: as many as DetailTensors gives.
void SetDetailTensors(Quantization& quantization, absl::Span<const TensorId> tensors);

// Blockwise scales (quantization specification, blockwise weights): `scales` is a constant FLOAT16 tensor [rows,
// columns / block_size] of the same subgraph; no zero points. The plain vectors stay empty.
Quantization MakeBlockwiseQuantization(TensorId scales, int32_t block_size);
// Nullopt for other schemes.
std::optional<int32_t> GetQuantizationBlockSize(const Quantization& quantization);

// One dimension of a sparse tensor, in traversal order.
struct SparseDimension {
  bool dense = true;
  int32_t dense_size = 0;              // dense only
  std::vector<int32_t> segments = {};  // sparse (CSR) only
  std::vector<int32_t> indices = {};
};
struct SparsityView {
  std::vector<int32_t> traversal_order, block_map;
  std::vector<SparseDimension> dimensions;
};
// nullopt for a dense tensor.
std::optional<SparsityView> GetSparsity(const Tensor& tensor);
// Numbers are stored in the narrowest type that holds them. REQUIRES: segments and indices are not negative.
void SetSparsity(Tensor& tensor, const SparsityView& view);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_MODEL_OP_OPTIONS_H_
