#ifndef LATHE_TESTS_SUPPORT_MODEL_BUILDER_H_
#define LATHE_TESTS_SUPPORT_MODEL_BUILDER_H_

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "optimizer/model/model.h"
#include "optimizer/model/op_options.h"

namespace lathe {

// Makes small models for tests, tensor by tensor and operator by operator, in execution order. Constants own their
// bytes. Works on subgraph 0 until AddSubgraph; ids returned are those of the built model.
class ModelBuilder {
 public:
  ModelBuilder();

  // Starts another subgraph; later calls work on it.
  SubgraphId AddSubgraph(const std::string& name);

  TensorId Input(const std::string& name, std::vector<int32_t> shape, TensorType type = TensorType::kFloat32);
  // A tensor without data, to be written by an operator.
  TensorId Activation(const std::string& name, std::vector<int32_t> shape, TensorType type = TensorType::kFloat32,
                      Quantization quantization = {});
  TensorId Constant(const std::string& name, std::vector<int32_t> shape, std::vector<float> values);
  TensorId Constant(const std::string& name, std::vector<int32_t> shape, std::vector<int32_t> values);
  TensorId Constant(const std::string& name, std::vector<int32_t> shape, TensorType type, std::vector<uint8_t> bytes,
                    Quantization quantization = {});
  // float32, uniform in [low, high), from the seed.
  TensorId RandomConstant(const std::string& name, std::vector<int32_t> shape, uint32_t seed, float low = -1,
                          float high = 1);
  OpId AddOp(OpKind kind, std::vector<TensorId> inputs, std::vector<TensorId> outputs, OpOptions options = {},
             int32_t version = 1);
  void Output(TensorId id);
  // A signature of the current subgraph with its inputs and outputs as they are now, named after the tensors.
  void AddSignature(const std::string& key);

  // Whole layers with random weights and a bias, NHWC; they return the output.
  TensorId Conv2d(TensorId input, int32_t filters, int32_t kernel, uint32_t seed, const ConvOptions& options = {});
  TensorId DepthwiseConv2d(TensorId input, int32_t kernel, uint32_t seed, const ConvOptions& options = {});
  TensorId FullyConnected(TensorId input, int32_t units, uint32_t seed, const FullyConnectedOptions& options = {});

  Model& model() { return model_; }
  // The model; fails the process with the reason when it does not verify. The builder is empty afterwards.
  Model Build();
  // The model as it is, for tests of the verifier.
  Model BuildUnverified() { return std::move(model_); }

 private:
  Subgraph& graph() { return model_.subgraphs.back(); }
  TensorId ConvOutput(TensorId input, int32_t channels, int32_t kernel, const ConvOptions& options);
  Model model_;
};

// scale and zero point for the whole tensor.
Quantization PerTensor(float scale, int64_t zero_point);

}  // namespace lathe

#endif  // LATHE_TESTS_SUPPORT_MODEL_BUILDER_H_
