#include "tests/support/model_builder.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <utility>

#include "optimizer/model/model_verifier.h"

namespace lathe {
namespace {

template <typename T>
std::vector<uint8_t> Bytes(const std::vector<T>& values) {
  std::vector<uint8_t> bytes(values.size() * sizeof(T));
  if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

int32_t OutputSize(int32_t input, int32_t kernel, int32_t stride, int32_t dilation, bool same) {
  const int32_t effective = (kernel - 1) * dilation + 1;
  return same ? (input + stride - 1) / stride : (input - effective) / stride + 1;
}

}  // namespace

ModelBuilder::ModelBuilder() {
  model_.buffers.emplace_back();
  AddSubgraph("main");
}

SubgraphId ModelBuilder::AddSubgraph(const std::string& name) {
  model_.subgraphs.emplace_back().name = name;
  return SubgraphId(model_.subgraphs.size() - 1);
}

TensorId ModelBuilder::Activation(const std::string& name, std::vector<int32_t> shape, TensorType type,
                                  Quantization quantization) {
  Tensor tensor;
  tensor.name = name;
  tensor.type = type;
  tensor.shape = std::move(shape);
  tensor.quantization = std::move(quantization);
  graph().tensors.push_back(std::move(tensor));
  return TensorId(graph().tensors.size() - 1);
}

TensorId ModelBuilder::Input(const std::string& name, std::vector<int32_t> shape, TensorType type) {
  const TensorId id = Activation(name, std::move(shape), type);
  graph().inputs.push_back(id);
  return id;
}

TensorId ModelBuilder::Constant(const std::string& name, std::vector<int32_t> shape, TensorType type,
                                std::vector<uint8_t> bytes, Quantization quantization) {
  const TensorId id = Activation(name, std::move(shape), type, std::move(quantization));
  model_.buffers.push_back(Buffer::Owned(std::move(bytes)));
  graph().tensor(id).buffer = BufferId(model_.buffers.size() - 1);
  return id;
}

TensorId ModelBuilder::Constant(const std::string& name, std::vector<int32_t> shape, std::vector<float> values) {
  return Constant(name, std::move(shape), TensorType::kFloat32, Bytes(values));
}

TensorId ModelBuilder::Constant(const std::string& name, std::vector<int32_t> shape, std::vector<int32_t> values) {
  return Constant(name, std::move(shape), TensorType::kInt32, Bytes(values));
}

TensorId ModelBuilder::RandomConstant(const std::string& name, std::vector<int32_t> shape, uint32_t seed, float low,
                                      float high) {
  Tensor probe;
  probe.shape = shape;
  std::mt19937 random(seed);
  std::vector<float> values(static_cast<size_t>(probe.NumElements()));
  // Not uniform_real_distribution: its numbers differ between standard libraries.
  for (float& value : values) value = low + (high - low) * static_cast<float>(random() >> 8) * 0x1p-24F;
  return Constant(name, std::move(shape), std::move(values));
}

OpId ModelBuilder::AddOp(OpKind kind, std::vector<TensorId> inputs, std::vector<TensorId> outputs, OpOptions options,
                         int32_t version) {
  Op op;
  op.kind = kind;
  op.version = version;
  op.inputs = std::move(inputs);
  op.outputs = std::move(outputs);
  op.options = std::move(options);
  graph().ops.push_back(std::move(op));
  return OpId(graph().ops.size() - 1);
}

void ModelBuilder::Output(TensorId id) { graph().outputs.push_back(id); }

void ModelBuilder::AddSignature(const std::string& key) {
  Signature signature;
  signature.key = key;
  signature.subgraph = SubgraphId(model_.subgraphs.size() - 1);
  for (TensorId id : graph().inputs) signature.inputs.push_back({graph().tensor(id).name, id});
  for (TensorId id : graph().outputs) signature.outputs.push_back({graph().tensor(id).name, id});
  model_.signatures.push_back(std::move(signature));
}

TensorId ModelBuilder::ConvOutput(TensorId input, int32_t channels, int32_t kernel, const ConvOptions& options) {
  const std::vector<int32_t> in = graph().tensor(input).shape;
  const int32_t height = OutputSize(in[1], kernel, options.stride_h, options.dilation_h, options.same_padding);
  const int32_t width = OutputSize(in[2], kernel, options.stride_w, options.dilation_w, options.same_padding);
  return Activation("conv" + std::to_string(graph().ops.size()), {in[0], height, width, channels});
}

TensorId ModelBuilder::Conv2d(TensorId input, int32_t filters, int32_t kernel, uint32_t seed,
                              const ConvOptions& options) {
  const std::string name = "conv" + std::to_string(graph().ops.size());
  const int32_t depth = graph().tensor(input).shape[3];
  const TensorId weights = RandomConstant(name + "/weights", {filters, kernel, kernel, depth}, seed);
  const TensorId bias = RandomConstant(name + "/bias", {filters}, seed + 1);
  const TensorId output = ConvOutput(input, filters, kernel, options);
  AddOp(OpKind::kConv2d, {input, weights, bias}, {output}, MakeConvOptions(options));
  return output;
}

TensorId ModelBuilder::DepthwiseConv2d(TensorId input, int32_t kernel, uint32_t seed, const ConvOptions& options) {
  const std::string name = "conv" + std::to_string(graph().ops.size());
  const int32_t depth = graph().tensor(input).shape[3];
  const TensorId weights = RandomConstant(name + "/weights", {1, kernel, kernel, depth}, seed);
  const TensorId bias = RandomConstant(name + "/bias", {depth}, seed + 1);
  const TensorId output = ConvOutput(input, depth, kernel, options);
  ConvOptions with_multiplier = options;
  with_multiplier.depth_multiplier = 1;
  AddOp(OpKind::kDepthwiseConv2d, {input, weights, bias}, {output}, MakeDepthwiseConvOptions(with_multiplier));
  return output;
}

TensorId ModelBuilder::FullyConnected(TensorId input, int32_t units, uint32_t seed,
                                      const FullyConnectedOptions& options) {
  const std::string name = "fc" + std::to_string(graph().ops.size());
  const std::vector<int32_t> in = graph().tensor(input).shape;
  int32_t depth = 1;
  for (size_t i = 1; i < in.size(); ++i) depth *= in[i];
  const TensorId weights = RandomConstant(name + "/weights", {units, depth}, seed);
  const TensorId bias = RandomConstant(name + "/bias", {units}, seed + 1);
  const TensorId output = Activation(name, {in[0], units});
  AddOp(OpKind::kFullyConnected, {input, weights, bias}, {output}, MakeFullyConnectedOptions(options));
  return output;
}

Model ModelBuilder::Build() {
  const absl::Status status = VerifyModel(model_);
  if (!status.ok()) {
    std::fprintf(stderr, "ModelBuilder made an invalid model: %s\n", std::string(status.message()).c_str());
    std::abort();
  }
  return std::move(model_);
}

Quantization PerTensor(float scale, int64_t zero_point) {
  Quantization quantization;
  quantization.scale = {scale};
  quantization.zero_point = {zero_point};
  return quantization;
}

}  // namespace lathe
