#include "optimizer/passes/constant_writer.h"

#include <utility>

namespace lathe {

ConstantWriter::ConstantWriter(const Model& model, GraphEditor& editor)
    : model_(model), editor_(editor), readers_(model.subgraphs[0].tensors.size(), 0) {
  const Subgraph& graph = model.subgraphs[0];
  for (const Op& op : graph.ops) {
    for (TensorId id : op.inputs) {
      if (id.valid()) ++readers_[id.index()];
    }
  }
  for (TensorId id : graph.outputs) ++readers_[id.index()];
  for (TensorId id : graph.inputs) ++readers_[id.index()];
}

void ConstantWriter::Store(OpId op, size_t operand, std::vector<uint8_t> bytes) {
  const TensorId id = model_.subgraphs[0].ops[op.index()].inputs[operand];
  if (--readers_[id.index()] == 0) {
    editor_.SetData(id, std::move(bytes));
    return;
  }
  Tensor copy = model_.subgraphs[0].tensor(id);
  copy.buffer = editor_.AddBuffer(std::move(bytes));
  editor_.SetInput(op, operand, editor_.AddTensor(std::move(copy)));
}

}  // namespace lathe
