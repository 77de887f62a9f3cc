#include "optimizer/passes/size_figures.h"

#include <algorithm>
#include <map>

#include "common/parallel.h"
#include "optimizer/math/value_counts.h"
#include "optimizer/passes/operator_precision.h"

namespace lathe {
namespace {

bool IsFloat(TensorType type) {
  return type == TensorType::kFloat16 || type == TensorType::kFloat32 || type == TensorType::kFloat64;
}

bool OnlyUnpacks(const Op& op) { return op.kind == OpKind::kDequantize || op.kind == OpKind::kDensify; }

// Kind of the operator that reads each tensor first; "" where none does.
std::vector<std::string> FindReaders(const Subgraph& graph) {
  std::vector<std::string> readers(graph.tensors.size());
  // Backwards, so that the first reader is what stays, and what unpacks knows its own reader already.
  for (size_t i = graph.ops.size(); i-- > 0;) {
    const Op& op = graph.ops[i];
    std::string kind = KindLabel(op);
    if (OnlyUnpacks(op) && !op.outputs.empty() && op.outputs[0].valid()) {
      const std::string& next = readers[op.outputs[0].index()];
      if (!next.empty()) kind = next;
    }
    for (TensorId id : op.inputs) {
      if (id.valid()) readers[id.index()] = kind;
    }
  }
  return readers;
}

WeightTensor DescribeTensor(const Model& model, const Tensor& tensor, const std::string& reader) {
  const absl::Span<const uint8_t> bytes = model.buffer(tensor.buffer).bytes();
  WeightTensor row;
  row.name = tensor.name;
  row.op = reader;
  row.type = TensorTypeLabel(tensor.type);
  row.shape = tensor.shape;
  row.bytes = bytes.size();
  const int bits = TypeBits(tensor.type);
  if (bits != 2 && bits != 4 && bits != 8 && bits != 16 && bits != 32 && bits != 64) return row;
  // Zero points of single channels are always 0 where the format allows channels.
  const auto& zero_points = tensor.quantization.zero_point;
  const uint64_t zero = zero_points.size() == 1 ? static_cast<uint64_t>(zero_points[0]) : 0;
  const ValueCounts counts = CountValues(bytes, bits, zero, IsFloat(tensor.type));
  row.weights = counts.values;
  row.zeros = counts.zeros;
  row.distinct_values = counts.distinct;
  row.entropy_bits = counts.entropy_bits;
  return row;
}

void AddTo(std::map<std::string, WeightGroup>& groups, const std::string& name, const WeightTensor& tensor) {
  WeightGroup& group = groups[name];
  group.name = name;
  group.bytes += tensor.bytes;
  group.weights += tensor.weights;
  group.zeros += tensor.zeros;
  ++group.tensors;
}

std::vector<WeightGroup> MostBytesFirst(const std::map<std::string, WeightGroup>& groups) {
  std::vector<WeightGroup> rows;
  for (const auto& [name, group] : groups) rows.push_back(group);
  std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.bytes > b.bytes; });
  return rows;
}

uint64_t MetadataBytes(const Model& model) {
  std::vector<bool> seen(model.buffers.size());
  uint64_t sum = 0;
  const auto add = [&](BufferId id) {
    if (!id.valid() || id.index() >= seen.size() || seen[id.index()]) return;
    seen[id.index()] = true;
    sum += model.buffer(id).bytes().size();
  };
  for (const Metadata& metadata : model.metadata) add(metadata.buffer);
  for (BufferId id : model.metadata_buffers) add(id);
  return sum;
}

}  // namespace

SizeOfModel DescribeSize(const Model& model, uint64_t file_bytes,
                         const std::function<void(absl::Span<const uint8_t>)>& read) {
  SizeOfModel size;
  size.bytes = file_bytes;
  size.metadata_bytes = MetadataBytes(model);
  struct Constant {
    const Tensor* tensor;
    std::string reader;
  };
  std::vector<Constant> constants;
  std::vector<bool> seen(model.buffers.size());
  for (const Subgraph& graph : model.subgraphs) {
    const std::vector<std::string> readers = FindReaders(graph);
    for (size_t i = 0; i < graph.tensors.size(); ++i) {
      const Tensor& tensor = graph.tensors[i];
      if (!model.IsConstant(tensor) || seen[tensor.buffer.index()]) continue;
      seen[tensor.buffer.index()] = true;
      constants.push_back({&tensor, readers[i]});
    }
  }
  size.tensors.resize(constants.size());
  ParallelFor(constants.size(), [&](size_t i) {
    size.tensors[i] = DescribeTensor(model, *constants[i].tensor, constants[i].reader);
    if (read) read(model.buffer(constants[i].tensor->buffer).bytes());
  });
  std::map<std::string, WeightGroup> by_operator, by_type;
  for (const WeightTensor& row : size.tensors) {
    size.weights_bytes += row.bytes;
    size.weights += row.weights;
    size.zeros += row.zeros;
    AddTo(by_operator, row.op.empty() ? "(none)" : row.op, row);
    AddTo(by_type, row.type, row);
  }
  size.by_operator = MostBytesFirst(by_operator);
  size.by_type = MostBytesFirst(by_type);
  std::stable_sort(size.tensors.begin(), size.tensors.end(),
                   [](const auto& a, const auto& b) { return a.bytes > b.bytes; });
  if (size.tensors.size() > kListedTensorsMax) size.tensors.resize(kListedTensorsMax);
  return size;
}

}  // namespace lathe
