#include "runtime/memory_plan.h"

#include <algorithm>
#include <cstddef>

namespace lathe {

namespace {

constexpr uint64_t kInterpreterBytes = uint64_t{2} << 20;

bool IsActivation(const Model& model, const Tensor& tensor) { return !model.IsConstant(tensor); }

}  // namespace

uint64_t EstimateWeightBytes(const Model& model) {
  uint64_t bytes = 0;
  for (const Buffer& buffer : model.buffers) bytes += buffer.bytes().size();
  return bytes;
}

uint64_t ActivationBytes(const Tensor& tensor) {
  uint64_t elements = 1;
  for (int32_t dimension : tensor.shape) elements *= static_cast<uint64_t>(std::max(dimension, 1));
  return elements * static_cast<uint64_t>(std::max(TypeBits(tensor.type), 8)) / 8;
}

uint64_t EstimateActivationPeakBytes(const Model& model) {
  const Subgraph& subgraph = model.subgraphs[0];
  std::vector<size_t> last_use(subgraph.tensors.size(), 0);
  for (size_t i = 0; i < subgraph.ops.size(); ++i) {
    for (TensorId id : subgraph.ops[i].inputs) {
      if (id.valid()) last_use[id.index()] = i;
    }
  }
  for (TensorId id : subgraph.outputs) last_use[id.index()] = subgraph.ops.size();
  uint64_t live = 0, peak = 0;
  for (TensorId id : subgraph.inputs) live += ActivationBytes(subgraph.tensor(id));
  std::vector<bool> freed(subgraph.tensors.size(), false);
  for (size_t i = 0; i < subgraph.ops.size(); ++i) {
    const Op& op = subgraph.ops[i];
    for (TensorId id : op.outputs) {
      if (id.valid()) live += ActivationBytes(subgraph.tensor(id));
    }
    peak = std::max(peak, live);
    for (const auto* ids : {&op.inputs, &op.outputs}) {
      for (TensorId id : *ids) {
        if (!id.valid() || last_use[id.index()] > i || freed[id.index()]) continue;
        if (!IsActivation(model, subgraph.tensor(id))) continue;
        freed[id.index()] = true;
        live -= std::min(live, ActivationBytes(subgraph.tensor(id)));
      }
    }
  }
  return std::max(peak, live);
}

uint64_t EstimateInterpreterBytes(const Model& model) {
  return EstimateWeightBytes(model) + EstimateActivationPeakBytes(model) + kInterpreterBytes;
}

Spread PlanSpread(int threads, uint64_t bytes_each, uint64_t memory_bytes, uint64_t samples) {
  const uint64_t fit = bytes_each == 0 ? static_cast<uint64_t>(threads) : memory_bytes / bytes_each;
  const uint64_t most = std::min<uint64_t>(static_cast<uint64_t>(threads), std::max<uint64_t>(samples, 1));
  Spread spread;
  spread.interpreters = static_cast<int>(std::clamp<uint64_t>(fit, 1, most));
  spread.threads = std::max(1, threads / spread.interpreters);
  return spread;
}

std::vector<std::vector<TensorId>> GroupByBytes(const Model& model, const std::vector<TensorId>& tensors,
                                                uint64_t bytes_max) {
  std::vector<std::vector<TensorId>> groups;
  uint64_t sum = 0;
  for (TensorId id : tensors) {
    const uint64_t bytes = ActivationBytes(model.subgraphs[0].tensor(id));
    if (groups.empty() || sum + bytes > bytes_max) {
      groups.emplace_back();
      sum = 0;
    }
    groups.back().push_back(id);
    sum += bytes;
  }
  return groups;
}

}  // namespace lathe
