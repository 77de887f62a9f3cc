#ifndef LATHE_OPTIMIZER_MODEL_MODEL_H_
#define LATHE_OPTIMIZER_MODEL_MODEL_H_

// The model in memory: LiteRT's own nouns, owned by one Model, referred to by typed ids.
//
// Who owns what: Model owns everything in vectors. A Buffer is either a view into the file that the model was read from
// (Model::backing keeps it mapped) or bytes that a pass wrote; untouched weights are never copied. Uses of a tensor are
// computed when needed (uses.h), never stored, so no setter can leave half an edge behind.
//
// A Model from ReadModel has passed VerifyModel: every id is in range, every constant has the bytes its type and shape
// ask for. Passes change it through GraphEditor only. Not thread-safe for writers; concurrent readers are fine.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "optimizer/model/ids.h"
#include "optimizer/model/op_kind.h"

// Defined by the generated flatbuffer schema; complete only in model_reader.cc, model_writer.cc and op_options.cc,
// because that header costs 640 MB and 10 s in every file that includes it.
namespace tflite {
struct BuiltinOptionsUnion;
struct BuiltinOptions2Union;
struct QuantizationDetailsUnion;
struct SparsityParametersT;
struct VariantSubTypeT;
}  // namespace tflite

namespace lathe {

class MappedFile;

// real = scale * (q - zero_point), with one scale and zero point for the tensor or one for each index of
// quantized_dimension.
struct Quantization {
  std::vector<float> scale;
  std::vector<int64_t> zero_point;  // as many as scales
  std::vector<float> min, max;      // informational; what the file had
  int32_t quantized_dimension = 0;
  // Blockwise and other schemes that have no plain scales; copied as they are. Null for none.
  std::shared_ptr<const tflite::QuantizationDetailsUnion> details;

  bool IsQuantized() const { return !scale.empty() || details != nullptr; }
};

struct Tensor {
  std::string name;  // not unique in some files
  TensorType type = TensorType::kFloat32;
  std::vector<int32_t> shape;
  std::vector<int32_t> shape_signature;  // empty, or as long as shape with -1 where a dimension is dynamic
  bool has_rank = false;
  bool is_variable = false;
  BufferId buffer{0};  // 0: no data (an activation)
  Quantization quantization;
  std::shared_ptr<const tflite::SparsityParametersT> sparsity;  // null: dense
  std::vector<std::shared_ptr<const tflite::VariantSubTypeT>> variant_tensors;

  // Product of shape; 1 for a scalar. Verified not to overflow.
  int64_t NumElements() const;
  bool HasDynamicShape() const;
};

// The options tables of the file, kept as they were read. Read and made through op_options.h.
struct OpOptions {
  std::shared_ptr<const tflite::BuiltinOptionsUnion> builtin;    // null: NONE
  std::shared_ptr<const tflite::BuiltinOptions2Union> builtin2;  // null: NONE
  std::vector<uint8_t> custom;                                   // custom operator's own bytes, kept byte for byte
};

struct Op {
  OpKind kind = OpKind::kAdd;
  std::string custom_code;  // kCustom only
  int32_t version = 1;
  std::vector<TensorId> inputs;  // invalid id: optional operand left out
  std::vector<TensorId> outputs;
  std::vector<TensorId> intermediates;
  std::vector<bool> mutating_variable_inputs;
  OpOptions options;
  int32_t debug_metadata_index = -1;
  // Index of the operator in the file that the model was read from, so that settings and reports can name it however
  // often passes renumber; -1 for operators that a pass made. Not written.
  int32_t origin = -1;

  // inputs[i], or an invalid id when the operator has fewer.
  TensorId input(size_t i) const { return i < inputs.size() ? inputs[i] : TensorId(); }
};

class Buffer {
 public:
  Buffer() = default;
  // A view; the model's backing file must hold the bytes.
  static Buffer View(absl::Span<const uint8_t> bytes);
  static Buffer Owned(std::vector<uint8_t> bytes);
  absl::Span<const uint8_t> bytes() const { return bytes_; }
  bool empty() const { return bytes_.empty(); }

 private:
  std::shared_ptr<const std::vector<uint8_t>> owned_;
  absl::Span<const uint8_t> bytes_;
};

struct Subgraph {
  std::string name;
  std::vector<Tensor> tensors;
  std::vector<Op> ops;  // in execution order
  std::vector<TensorId> inputs, outputs;
  int32_t debug_metadata_index = -1;

  Tensor& tensor(TensorId id) { return tensors[id.index()]; }
  const Tensor& tensor(TensorId id) const { return tensors[id.index()]; }
};

struct SignatureEntry {
  std::string name;
  TensorId tensor;
};

struct Signature {
  std::string key;
  SubgraphId subgraph{0};
  std::vector<SignatureEntry> inputs, outputs;
};

struct Metadata {
  std::string name;
  BufferId buffer;
};

struct Model {
  std::string description;
  std::vector<Subgraph> subgraphs;  // at least one; [0] is what runs
  std::vector<Buffer> buffers;      // [0] is empty: "no data"
  std::vector<Metadata> metadata;
  std::vector<BufferId> metadata_buffers;  // the older, nameless list
  std::vector<Signature> signatures;
  std::shared_ptr<const MappedFile> backing;  // keeps buffer views alive; null when none are views

  Subgraph& subgraph(SubgraphId id) { return subgraphs[id.index()]; }
  const Subgraph& subgraph(SubgraphId id) const { return subgraphs[id.index()]; }
  const Buffer& buffer(BufferId id) const { return buffers[id.index()]; }

  // True when the tensor has data in the file.
  bool IsConstant(const Tensor& tensor) const { return tensor.buffer.value > 0 && !buffer(tensor.buffer).empty(); }
  // The constant's values. Views into the file may lie at any 4-byte (v3 files: 16-byte) alignment that the reader has
  // checked. REQUIRES: IsConstant(tensor), type float32, dense.
  absl::Span<const float> FloatData(const Tensor& tensor) const;
  absl::Span<const int32_t> Int32Data(const Tensor& tensor) const;
};

// "subgraph 0, operator 12 CONV_2D" and "subgraph 0, tensor 7 'conv1/weights'": how every message names a place.
std::string Where(SubgraphId subgraph, OpId op, const Op& operation);
std::string Where(SubgraphId subgraph, TensorId id, const Tensor& tensor);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_MODEL_MODEL_H_
