#include "runtime/samples.h"

#include <algorithm>
#include <vector>

#include "optimizer/model/op_options.h"
#include "runtime/data_samples.h"
#include "runtime/synthetic_samples.h"

namespace lathe {

namespace {

// Operators whose output holds values of operand 0 (PACK, CONCATENATION: of any operand), so an index stays an index.
bool OnlyMovesValues(OpKind kind) {
  switch (kind) {
    case OpKind::kCast:
    case OpKind::kConcatenation:
    case OpKind::kExpandDims:
    case OpKind::kPack:
    case OpKind::kReshape:
    case OpKind::kSlice:
    case OpKind::kSqueeze:
    case OpKind::kStridedSlice:
    case OpKind::kTile:
    case OpKind::kTranspose:
    case OpKind::kUnpack:
      return true;
    default:
      return false;
  }
}

// Rows of the table that `op` indexes by `index`; 0 when it does not.
int64_t IndexedRows(const Subgraph& subgraph, const Op& op, TensorId index) {
  TensorId table;
  int32_t axis = 0;
  if (op.kind == OpKind::kGather && op.input(1) == index) {
    table = op.input(0);
    axis = GetGatherAxis(op).value_or(0);
  } else if (op.kind == OpKind::kEmbeddingLookup && op.input(0) == index) {
    table = op.input(1);
  }
  if (!table.valid()) return 0;
  const std::vector<int32_t>& shape = subgraph.tensor(table).shape;
  if (axis < 0) axis += static_cast<int32_t>(shape.size());
  if (axis < 0 || static_cast<size_t>(axis) >= shape.size()) return 0;
  return shape[static_cast<size_t>(axis)];
}

}  // namespace

std::optional<int64_t> FindIndexedRows(const Model& model, TensorId input) {
  const Subgraph& subgraph = model.subgraphs[0];
  std::vector<bool> holds_index(subgraph.tensors.size(), false);
  holds_index[input.index()] = true;
  std::optional<int64_t> rows;
  for (const Op& op : subgraph.ops) {  // in execution order, so one walk is enough
    for (TensorId operand : op.inputs) {
      if (!operand.valid() || !holds_index[operand.index()]) continue;
      if (const int64_t found = IndexedRows(subgraph, op, operand); found > 0) {
        rows = std::min(rows.value_or(found), found);
      }
      if (!OnlyMovesValues(op.kind)) continue;
      for (TensorId output : op.outputs) {
        if (output.valid()) holds_index[output.index()] = true;
      }
    }
  }
  return rows;
}

absl::StatusOr<std::unique_ptr<SampleSource>> OpenSamples(const Model& model, const std::string& path,
                                                          const SampleOptions& options) {
  return DataSamples::Open(model, path, options);
}

absl::StatusOr<std::unique_ptr<SampleSource>> MakeSyntheticSamples(const Model& model, const SampleOptions& options) {
  return SyntheticSamples::Make(model, options);
}

}  // namespace lathe
