#ifndef LATHE_OPTIMIZER_PASSES_CHANNEL_SETS_H_
#define LATHE_OPTIMIZER_PASSES_CHANNEL_SETS_H_

#include <cstdint>
#include <vector>

#include "optimizer/model/model.h"

namespace lathe {

// Disjoint sets (union-find) of the channels of a subgraph's activations. A channel is an index of the last dimension;
// it is held by a node. Node kFixedNode stands for every channel that must stay as it is.
class ChannelSets {
 public:
  using Node = uint32_t;
  static constexpr Node kFixedNode = 0;

  // Every float32 activation that is dense, not quantized, no variable and of a static last dimension gets a node for
  // each channel, up to 65,536 a tensor and 4 million together. Inputs and outputs of the subgraph are fixed.
  ChannelSets(const Model& model, const Subgraph& subgraph);

  // Channels of an activation that has nodes; 0 for every other tensor and for an operand that is left out.
  size_t channels(TensorId id) const { return id.valid() ? channels_[id.index()] : 0; }
  // REQUIRES: channel < channels(id).
  Node node(TensorId id, size_t channel) const { return first_[id.index()] + static_cast<Node>(channel); }
  std::vector<Node> nodes(TensorId id) const;

  void Unite(Node a, Node b);
  // Channel c of one activation with channel c of the other. False, and nothing happens, unless both have nodes, as
  // many.
  bool UniteChannels(TensorId a, TensorId b);
  // Every channel of the tensor; nothing where it has no nodes.
  void Fix(TensorId id);

  // The set's representative; equal for nodes of one set.
  Node Find(Node node) const;
  bool IsFixed(Node node) const { return Find(node) == Find(kFixedNode); }
  size_t size() const { return parents_.size(); }

 private:
  std::vector<size_t> channels_;
  std::vector<Node> first_;
  mutable std::vector<Node> parents_;  // paths are halved while searching
};

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_CHANNEL_SETS_H_
