#include "optimizer/passes/fully_connect_matmuls_pass.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "optimizer/model/graph_editor.h"
#include "optimizer/model/op_options.h"
#include "optimizer/passes/weights.h"

namespace lathe {
namespace {

// Of a float FULLY_CONNECTED that keeps all dimensions and has no bias (LiteRT op_version.cc).
constexpr int32_t kKeepsDimensions = 6;

// Whether the operator multiplies rows of an activation by one constant matrix.
bool IsProductWithMatrix(const Model& model, const Subgraph& graph, const Op& op) {
  if (op.kind != OpKind::kBatchMatmul || !op.input(0).valid() || !op.input(1).valid() || op.outputs.empty()) {
    return false;
  }
  const Tensor &left = graph.tensor(op.inputs[0]), &right = graph.tensor(op.inputs[1]);
  const Tensor& result = graph.tensor(op.outputs[0]);
  const std::optional<BatchMatmulOptions> options = GetBatchMatmulOptions(op);
  if (!options || options->adj_x || !IsDenseFloatConstant(model, right) || model.IsConstant(left)) return false;
  const size_t rank = right.shape.size();
  if (left.type != TensorType::kFloat32 || result.type != TensorType::kFloat32 || rank < 2) return false;
  if (left.shape.size() < rank || result.shape.size() != left.shape.size()) return false;
  const bool one_matrix = std::all_of(right.shape.begin(), right.shape.end() - 2, [](int32_t d) { return d == 1; });
  const int32_t columns = right.shape[options->adj_y ? rank - 1 : rank - 2];
  return one_matrix && columns == left.shape.back() && right.NumElements() > 0;
}

// Rows of weights, one for each unit: the matrix, transposed unless `rows_first`.
Tensor WeightsOf(const Model& model, const Tensor& matrix, bool rows_first, GraphEditor& editor) {
  const size_t rank = matrix.shape.size();
  Tensor weights = matrix;
  weights.shape_signature.clear();
  weights.shape = {matrix.shape[rank - 2], matrix.shape[rank - 1]};
  if (rows_first) return weights;
  std::swap(weights.shape[0], weights.shape[1]);
  const auto units = static_cast<size_t>(weights.shape[0]), columns = static_cast<size_t>(weights.shape[1]);
  const absl::Span<const float> values = model.FloatData(matrix);
  std::vector<uint8_t> bytes(values.size() * sizeof(float));
  auto* out = reinterpret_cast<float*>(bytes.data());
  for (size_t unit = 0; unit < units; ++unit) {
    for (size_t k = 0; k < columns; ++k) out[unit * columns + k] = values[k * units + unit];
  }
  weights.buffer = editor.AddBuffer(std::move(bytes));
  return weights;
}

}  // namespace

absl::StatusOr<Change> FullyConnectMatmulsPass::Edit(Model& model, PassContext& context) const {
  const SubgraphId id(0);
  Change change;
  GraphEditor editor(model, id);
  std::map<std::pair<TensorId, bool>, TensorId> made;  // by matrix and whether it holds rows
  const size_t count = model.subgraph(id).ops.size();
  for (size_t i = 0; i < count; ++i) {
    LATHE_RETURN_IF_ERROR(context.cancel.Check());
    Op op = model.subgraph(id).ops[i];
    if (!IsProductWithMatrix(model, model.subgraph(id), op)) continue;
    if (context.settings != nullptr && context.settings->For(id, op).scheme != Scheme::kFullInteger) continue;
    const bool rows_first = GetBatchMatmulOptions(op)->adj_y;
    const auto [weights, is_new] = made.try_emplace(std::pair(op.inputs[1], rows_first));
    if (is_new) {
      const Tensor matrix = model.subgraph(id).tensor(op.inputs[1]);
      weights->second = editor.AddTensor(WeightsOf(model, matrix, rows_first, editor));
    }
    op.kind = OpKind::kFullyConnected;
    op.inputs = {op.inputs[0], weights->second, TensorId()};
    FullyConnectedOptions options;
    options.keep_num_dims = true;
    op.options = MakeFullyConnectedOptions(options);
    op.version = kKeepsDimensions;
    editor.InsertBefore(OpId(i), std::move(op));
    editor.Erase(OpId(i));
    ++change.count;
  }
  editor.Finish();
  return change;
}

}  // namespace lathe
