#include "runtime/interpreter.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "runtime/litert_interpreter.h"

namespace lathe {

namespace {

// Bits of an element that can be fed from outside, 0 for others: strings, handles, and numbers packed below a byte.
int FeedableBytes(TensorType type) {
  switch (type) {
    case TensorType::kBool:
    case TensorType::kInt8:
    case TensorType::kUint8:
      return 1;
    case TensorType::kInt16:
    case TensorType::kUint16:
    case TensorType::kFloat16:
      return 2;
    case TensorType::kInt32:
    case TensorType::kUint32:
    case TensorType::kFloat32:
      return 4;
    case TensorType::kInt64:
    case TensorType::kUint64:
    case TensorType::kFloat64:
      return 8;
    default:
      return 0;
  }
}

absl::StatusOr<TensorInfo> Describe(const Model& model, TensorId id, const std::string& signature_name) {
  const Tensor& tensor = model.subgraphs[0].tensor(id);
  const int element_bytes = FeedableBytes(tensor.type);
  if (element_bytes == 0) {
    return MakeError(absl::StatusCode::kInvalidArgument, "MODEL_UNSUPPORTED",
                     absl::StrFormat("%s: an input or output of type %s cannot be fed or read here",
                                     Where(SubgraphId(0), id, tensor), std::string(TensorTypeName(tensor.type))));
  }
  TensorInfo info;
  info.name = tensor.name;
  info.signature_name = signature_name;
  info.id = id;
  info.type = tensor.type;
  for (size_t i = 0; i < tensor.shape.size(); ++i) {
    const bool dynamic = i < tensor.shape_signature.size() && tensor.shape_signature[i] < 0;
    info.shape.push_back(dynamic || tensor.shape[i] < 1 ? 1 : tensor.shape[i]);
  }
  const Quantization& quantization = tensor.quantization;
  if (quantization.scale.size() == 1) {
    info.scale = quantization.scale[0];
    info.zero_point = quantization.zero_point.empty() ? 0 : quantization.zero_point[0];
  }
  info.elements = 1;
  for (int32_t dimension : info.shape) info.elements *= dimension;
  info.size_bytes = static_cast<size_t>(info.elements) * static_cast<size_t>(element_bytes);
  return info;
}

const Signature* FindMainSignature(const Model& model) {
  for (const Signature& signature : model.signatures) {
    if (signature.subgraph.value == 0) return &signature;
  }
  return nullptr;
}

absl::StatusOr<std::vector<TensorInfo>> DescribeAll(const Model& model, const std::vector<TensorId>& ids,
                                                    const std::vector<SignatureEntry>* entries) {
  std::vector<TensorInfo> infos;
  for (TensorId id : ids) {
    std::string signature_name;
    if (entries != nullptr) {
      auto entry = std::find_if(entries->begin(), entries->end(), [&](const auto& e) { return e.tensor == id; });
      if (entry != entries->end()) signature_name = entry->name;
    }
    LATHE_ASSIGN_OR_RETURN(TensorInfo info, Describe(model, id, signature_name));
    infos.push_back(std::move(info));
  }
  return infos;
}

}  // namespace

const std::string& DisplayName(const TensorInfo& info) {
  return info.signature_name.empty() ? info.name : info.signature_name;
}

absl::StatusOr<std::vector<TensorInfo>> DescribeInputs(const Model& model) {
  const Signature* signature = FindMainSignature(model);
  return DescribeAll(model, model.subgraphs[0].inputs, signature == nullptr ? nullptr : &signature->inputs);
}

absl::StatusOr<std::vector<TensorInfo>> DescribeOutputs(const Model& model) {
  const Signature* signature = FindMainSignature(model);
  return DescribeAll(model, model.subgraphs[0].outputs, signature == nullptr ? nullptr : &signature->outputs);
}

absl::StatusOr<std::unique_ptr<Interpreter>> Interpreter::Create(const Model& model, absl::Span<const uint8_t> bytes,
                                                                 const InterpreterOptions& options) {
  return LiteRtInterpreter::Create(model, bytes, options);
}

}  // namespace lathe
