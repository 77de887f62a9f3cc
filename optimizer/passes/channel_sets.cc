#include "optimizer/passes/channel_sets.h"

#include <algorithm>
#include <numeric>

namespace lathe {
namespace {

// More channels are a flattened image or a hostile file.
constexpr int32_t kChannelsOfTensorMax = 1 << 16;
constexpr size_t kNodesMax = size_t{1} << 22;

bool HasChannels(const Model& model, const Tensor& tensor) {
  if (tensor.type != TensorType::kFloat32 || model.IsConstant(tensor)) return false;
  if (tensor.quantization.IsQuantized() || tensor.is_variable || tensor.sparsity != nullptr) return false;
  if (tensor.shape.empty() || tensor.shape.back() < 1 || tensor.shape.back() > kChannelsOfTensorMax) return false;
  return tensor.shape_signature.empty() || tensor.shape_signature.back() >= 1;
}

}  // namespace

ChannelSets::ChannelSets(const Model& model, const Subgraph& subgraph)
    : channels_(subgraph.tensors.size(), 0), first_(subgraph.tensors.size(), kFixedNode) {
  size_t next = kFixedNode + 1;
  for (size_t t = 0; t < subgraph.tensors.size(); ++t) {
    if (!HasChannels(model, subgraph.tensors[t])) continue;
    const auto count = static_cast<size_t>(subgraph.tensors[t].shape.back());
    if (next + count > kNodesMax) break;
    channels_[t] = count;
    first_[t] = static_cast<Node>(next);
    next += count;
  }
  parents_.resize(next);
  std::iota(parents_.begin(), parents_.end(), Node{0});
  std::vector<bool> written(subgraph.tensors.size(), false);
  for (const Op& op : subgraph.ops) {
    for (TensorId id : op.outputs) {
      if (id.valid()) written[id.index()] = true;
    }
  }
  for (size_t t = 0; t < written.size(); ++t) {
    if (!written[t]) Fix(TensorId(t));
  }
  for (TensorId id : subgraph.inputs) Fix(id);
  for (TensorId id : subgraph.outputs) Fix(id);
}

std::vector<ChannelSets::Node> ChannelSets::nodes(TensorId id) const {
  std::vector<Node> nodes(channels(id));
  for (size_t c = 0; c < nodes.size(); ++c) nodes[c] = node(id, c);
  return nodes;
}

ChannelSets::Node ChannelSets::Find(Node node) const {
  while (parents_[node] != node) {
    parents_[node] = parents_[parents_[node]];
    node = parents_[node];
  }
  return node;
}

void ChannelSets::Unite(Node a, Node b) {
  a = Find(a);
  b = Find(b);
  // The smaller number wins: representatives do not depend on the order of calls within a set, and long chains of
  // operators stay shallow because Find halves paths.
  parents_[std::max(a, b)] = std::min(a, b);
}

bool ChannelSets::UniteChannels(TensorId a, TensorId b) {
  if (channels(a) == 0 || channels(a) != channels(b)) return false;
  for (size_t c = 0; c < channels(a); ++c) Unite(node(a, c), node(b, c));
  return true;
}

void ChannelSets::Fix(TensorId id) {
  for (size_t c = 0; c < channels(id); ++c) Unite(kFixedNode, node(id, c));
}

}  // namespace lathe
