#include "optimizer/compatibility/mac_count.h"

#include <algorithm>
#include <limits>

#include "optimizer/model/op_options.h"

namespace lathe {
namespace {

uint64_t Times(uint64_t a, uint64_t b) {
  uint64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? std::numeric_limits<uint64_t>::max() : product;
}

uint64_t Elements(const Tensor& tensor) { return static_cast<uint64_t>(std::max<int64_t>(tensor.NumElements(), 0)); }

uint64_t Dimension(const Tensor& tensor, size_t axis) { return static_cast<uint64_t>(std::max(tensor.shape[axis], 0)); }

const Tensor* Find(const Subgraph& subgraph, TensorId id) { return id.valid() ? &subgraph.tensor(id) : nullptr; }

// Filters stand first in CONV_2D [filters, height, width, channels], last in CONV_3D [.., channels, filters].
uint64_t ConvolutionMacs(const Tensor& filter, const Tensor& output, size_t rank, size_t filter_axis) {
  if (filter.shape.size() != rank || output.shape.size() != rank) return 0;
  const uint64_t filters = Dimension(filter, filter_axis);
  return filters == 0 ? 0 : Times(Elements(output), Elements(filter) / filters);
}

uint64_t DepthwiseMacs(const Tensor& filter, const Tensor& output) {
  if (filter.shape.size() != 4) return 0;
  return Times(Elements(output), Times(Dimension(filter, 1), Dimension(filter, 2)));
}

// Every value of the input is multiplied with the whole window of every filter. [filters, height, width, channels]
uint64_t TransposeConvMacs(const Tensor& filter, const Tensor& input) {
  if (filter.shape.size() != 4) return 0;
  return Times(Elements(input), Times(Dimension(filter, 0), Times(Dimension(filter, 1), Dimension(filter, 2))));
}

uint64_t FullyConnectedMacs(const Tensor& weights, const Tensor& input) {
  if (weights.shape.size() != 2 || Dimension(weights, 1) == 0) return 0;
  return Times(Elements(input) / Dimension(weights, 1), Elements(weights));
}

uint64_t BatchMatmulMacs(const Op& op, const Tensor& left, const Tensor& output) {
  const size_t rank = left.shape.size();
  if (rank < 2) return 0;
  const bool transposed = GetBatchMatmulOptions(op).value_or(BatchMatmulOptions()).adj_x;
  return Times(Elements(output), Dimension(left, transposed ? rank - 2 : rank - 1));
}

// Steps over time and batch, from the shape of the input [.., features].
uint64_t RecurrentMacs(const Model& model, const Subgraph& subgraph, const Op& op, const Tensor& input) {
  if (input.shape.empty() || input.shape.back() <= 0) return 0;
  uint64_t weights = 0;
  for (size_t i = 1; i < op.inputs.size(); ++i) {
    const Tensor* tensor = Find(subgraph, op.inputs[i]);
    if (tensor != nullptr && tensor->shape.size() == 2 && model.IsConstant(*tensor)) weights += Elements(*tensor);
  }
  return Times(Elements(input) / static_cast<uint64_t>(input.shape.back()), weights);
}

}  // namespace

uint64_t CountMacs(const Model& model, const Subgraph& subgraph, const Op& op) {
  const Tensor* first = Find(subgraph, op.input(0));
  const Tensor* second = Find(subgraph, op.input(1));
  const Tensor* third = Find(subgraph, op.input(2));
  const Tensor* output = op.outputs.empty() ? nullptr : Find(subgraph, op.outputs[0]);
  if (first == nullptr || second == nullptr || output == nullptr) return 0;
  switch (op.kind) {
    case OpKind::kConv2d:
      return ConvolutionMacs(*second, *output, 4, 0);
    case OpKind::kConv3d:
      return ConvolutionMacs(*second, *output, 5, 4);
    case OpKind::kDepthwiseConv2d:
      return DepthwiseMacs(*second, *output);
    case OpKind::kTransposeConv:
      return third == nullptr ? 0 : TransposeConvMacs(*second, *third);
    case OpKind::kFullyConnected:
      return FullyConnectedMacs(*second, *first);
    case OpKind::kBatchMatmul:
      return BatchMatmulMacs(op, *first, *output);
    case OpKind::kLstm:
    case OpKind::kUnidirectionalSequenceLstm:
    case OpKind::kBidirectionalSequenceLstm:
    case OpKind::kRnn:
    case OpKind::kUnidirectionalSequenceRnn:
    case OpKind::kBidirectionalSequenceRnn:
    case OpKind::kSvdf:
      return RecurrentMacs(model, subgraph, op, *first);
    default:
      return 0;
  }
}

}  // namespace lathe
