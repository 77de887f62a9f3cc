#include "tests/support/residual_stream.h"

#include <string>
#include <utility>
#include <vector>

namespace lathe {
namespace {

constexpr int32_t kTokens = 8, kWidth = 32, kVocabulary = 64, kHidden = 48, kLogits = 5;

// Adds `constant` (by row, grown with the row when `grows`) to every value of the tensor.
void Shift(Model& model, TensorId id, float constant, bool grows = false) {
  Tensor& tensor = model.subgraphs[0].tensor(id);
  const absl::Span<const float> values = model.FloatData(tensor);
  std::vector<float> shifted(values.begin(), values.end());
  const auto width = static_cast<size_t>(tensor.shape.back());
  for (size_t i = 0; i < shifted.size(); ++i) {
    shifted[i] += constant * (grows ? static_cast<float>(i / width + 1) / static_cast<float>(kVocabulary) : 1.0f);
  }
  const auto* bytes = reinterpret_cast<const uint8_t*>(shifted.data());
  model.buffers[tensor.buffer.index()] = Buffer::Owned({bytes, bytes + shifted.size() * sizeof(float)});
}

}  // namespace

TensorId AddLayerNormalisation(ModelBuilder& builder, TensorId x, const LayerNormalisation& settings) {
  const std::vector<int32_t> shape = builder.model().subgraphs.back().tensor(x).shape;
  std::vector<int32_t> reduced = shape;
  const size_t axis = settings.axis < 0 ? shape.size() - 1 : static_cast<size_t>(settings.axis);
  reduced[axis] = 1;
  const std::string name = "norm" + std::to_string(builder.model().subgraphs.back().ops.size());
  const TensorId axes = builder.Constant(name + "/axis", {1}, std::vector<int32_t>{settings.axis});
  const TensorId epsilon = builder.Constant(name + "/epsilon", {}, std::vector<float>{1e-3f});
  const auto add = [&](OpKind kind, std::vector<TensorId> inputs, const std::vector<int32_t>& out, OpOptions options) {
    const TensorId y = builder.Activation(name + "/" + std::string(OpKindName(kind)), out);
    builder.AddOp(kind, std::move(inputs), {y}, std::move(options));
    return y;
  };
  const TensorId mean = add(OpKind::kMean, {x, axes}, reduced, MakeReducerOptions(true));
  const TensorId centred = add(OpKind::kSub, {x, mean}, shape, MakeSubOptions());
  const TensorId squares = add(OpKind::kSquaredDifference, {x, mean}, shape, {});
  const TensorId variance = add(OpKind::kMean, {squares, axes}, reduced, MakeReducerOptions(true));
  const TensorId above_zero = add(OpKind::kAdd, {variance, epsilon}, reduced, MakeAddOptions());
  const TensorId scale = add(OpKind::kRsqrt, {above_zero}, reduced, {});
  return add(OpKind::kMul, {centred, scale}, shape, MakeMulOptions());
}

Model SmallTransformer(const Constants& constants) {
  ModelBuilder builder;
  const TensorId ids = builder.Input("ids", {1, kTokens}, TensorType::kInt32);
  const TensorId table = builder.RandomConstant("table", {kVocabulary, kWidth}, 1);
  const TensorId positions = builder.RandomConstant("positions", {kTokens, kWidth}, 2);
  const TensorId embedded = builder.Activation("embedded", {1, kTokens, kWidth});
  const TensorId placed = builder.Activation("placed", {1, kTokens, kWidth});
  TensorId stream = builder.Activation("stream", {kTokens, kWidth});
  builder.AddOp(OpKind::kGather, {table, ids}, {embedded}, MakeGatherOptions(0));
  builder.AddOp(OpKind::kAdd, {embedded, positions}, {placed}, MakeAddOptions());
  builder.AddOp(OpKind::kReshape, {placed}, {stream}, MakeReshapeOptions({kTokens, kWidth}));
  std::vector<TensorId> biases;
  for (uint32_t block = 0; block < 2; ++block) {
    const TensorId hidden = builder.FullyConnected(AddLayerNormalisation(builder, stream), kHidden, 10 * block + 10,
                                                   {.activation = Activation::kRelu});
    const TensorId update = builder.FullyConnected(hidden, kWidth, 10 * block + 15);
    biases.push_back(builder.model().subgraphs[0].ops.back().inputs[2]);
    const TensorId sum = builder.Activation("sum" + std::to_string(block), {kTokens, kWidth});
    builder.AddOp(OpKind::kAdd, {stream, update}, {sum}, MakeAddOptions());
    stream = sum;
  }
  builder.Output(builder.FullyConnected(AddLayerNormalisation(builder, stream), kLogits, 90));
  builder.AddSignature("serve");
  Model model = builder.Build();
  Shift(model, table, constants.embedding, constants.per_token);
  Shift(model, positions, constants.position);
  for (TensorId bias : biases) Shift(model, bias, constants.bias);
  return model;
}

}  // namespace lathe
