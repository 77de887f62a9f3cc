#include "optimizer/model/graph_editor.h"

#include <algorithm>
#include <cassert>
#include <iterator>

#include "optimizer/model/op_options.h"

namespace lathe {
namespace {

// Calls visit(id) for every reference to a tensor of the subgraph, from wherever it is held.
template <typename Visit>
void ForEachTensorReference(Model& model, SubgraphId id, const Visit& visit) {
  Subgraph& subgraph = model.subgraph(id);
  for (Op& op : subgraph.ops) {
    for (auto* list : {&op.inputs, &op.outputs, &op.intermediates}) {
      for (TensorId& tensor : *list) {
        if (tensor.valid()) visit(tensor);
      }
    }
  }
  for (auto* list : {&subgraph.inputs, &subgraph.outputs}) {
    for (TensorId& tensor : *list) visit(tensor);
  }
  for (Signature& signature : model.signatures) {
    if (signature.subgraph != id) continue;
    for (auto* list : {&signature.inputs, &signature.outputs}) {
      for (SignatureEntry& entry : *list) visit(entry.tensor);
    }
  }
}

// True for the tensors that something refers to: operators, the interface, or the details of a tensor that is used.
std::vector<bool> UsedTensors(Model& model, SubgraphId id) {
  std::vector<bool> used(model.subgraph(id).tensors.size(), false);
  ForEachTensorReference(model, id, [&](TensorId tensor) { used[tensor.index()] = true; });
  const Subgraph& subgraph = model.subgraph(id);
  for (size_t t = 0; t < subgraph.tensors.size(); ++t) {
    if (!used[t]) continue;
    for (TensorId detail : DetailTensors(subgraph.tensors[t].quantization)) {
      if (detail.valid()) used[detail.index()] = true;
    }
  }
  return used;
}

template <typename Visit>
void ForEachBufferReference(Model& model, const Visit& visit) {
  for (Subgraph& subgraph : model.subgraphs) {
    for (Tensor& tensor : subgraph.tensors) visit(tensor.buffer);
  }
  for (Metadata& metadata : model.metadata) visit(metadata.buffer);
  for (BufferId& buffer : model.metadata_buffers) visit(buffer);
}

std::vector<bool> UsedBuffers(Model& model) {
  std::vector<bool> used(model.buffers.size(), false);
  used[0] = true;
  ForEachBufferReference(model, [&](BufferId buffer) { used[buffer.index()] = true; });
  return used;
}

// New places for the entries that stay: those used now, and those that nothing used before the edit either.
template <typename T>
std::vector<int32_t> Compact(std::vector<T>& entries, const std::vector<bool>& used_before,
                             const std::vector<bool>& used_now) {
  std::vector<int32_t> places(entries.size(), -1);
  size_t next = 0;
  for (size_t i = 0; i < entries.size(); ++i) {
    if (!used_now[i] && (i >= used_before.size() || used_before[i])) continue;
    places[i] = static_cast<int32_t>(next);
    if (next != i) entries[next] = std::move(entries[i]);
    ++next;
  }
  entries.resize(next);
  return places;
}

}  // namespace

GraphEditor::GraphEditor(Model& model, SubgraphId subgraph)
    : model_(model),
      subgraph_(subgraph),
      erased_(model.subgraph(subgraph).ops.size(), false),
      tensors_used_(UsedTensors(model, subgraph)),
      buffers_used_(UsedBuffers(model)) {}

GraphEditor::~GraphEditor() { assert(finished_ || !edited_); }

BufferId GraphEditor::AddBuffer(std::vector<uint8_t> bytes) {
  edited_ = true;
  model_.buffers.push_back(Buffer::Owned(std::move(bytes)));
  return BufferId(model_.buffers.size() - 1);
}

TensorId GraphEditor::AddTensor(Tensor tensor) {
  edited_ = true;
  graph().tensors.push_back(std::move(tensor));
  return TensorId(graph().tensors.size() - 1);
}

void GraphEditor::SetData(TensorId id, std::vector<uint8_t> bytes) {
  graph().tensor(id).buffer = AddBuffer(std::move(bytes));
}

void GraphEditor::SetTensor(TensorId id, Tensor tensor) {
  edited_ = true;
  graph().tensor(id) = std::move(tensor);
}

void GraphEditor::Retype(TensorId id, TensorType type, Quantization quantization) {
  edited_ = true;
  quantization.min.clear();
  quantization.max.clear();
  graph().tensor(id).type = type;
  graph().tensor(id).quantization = std::move(quantization);
}

void GraphEditor::Insert(int64_t place, Op op) {
  edited_ = true;
  insertions_.push_back({place, std::move(op)});
}

void GraphEditor::InsertBefore(OpId anchor, Op op) { Insert(2 * int64_t{anchor.value}, std::move(op)); }
void GraphEditor::InsertAfter(OpId anchor, Op op) { Insert(2 * int64_t{anchor.value} + 1, std::move(op)); }
void GraphEditor::InsertFirst(Op op) { Insert(-1, std::move(op)); }
void GraphEditor::InsertLast(Op op) { Insert(2 * static_cast<int64_t>(erased_.size()), std::move(op)); }

void GraphEditor::Erase(OpId op) {
  edited_ = true;
  erased_[op.index()] = true;
}

void GraphEditor::ReplaceUses(TensorId from, TensorId to, const std::function<bool(OpId)>& where) {
  for (size_t i = 0; i < graph().ops.size(); ++i) {
    if (erased_[i]) continue;
    auto& inputs = graph().ops[i].inputs;
    if (std::find(inputs.begin(), inputs.end(), from) == inputs.end()) continue;
    if (where != nullptr && !where(OpId(i))) continue;
    edited_ = true;
    std::replace(inputs.begin(), inputs.end(), from, to);
  }
}

void GraphEditor::SetInput(OpId op, size_t operand, TensorId tensor) {
  edited_ = true;
  operation(op).inputs[operand] = tensor;
}

void GraphEditor::SetOutput(OpId op, size_t result, TensorId tensor) {
  edited_ = true;
  operation(op).outputs[result] = tensor;
}

void GraphEditor::PadInputs(OpId op, size_t count) {
  if (operation(op).inputs.size() >= count) return;
  edited_ = true;
  operation(op).inputs.resize(count);
}

void GraphEditor::SetVersion(OpId op, int32_t version) {
  if (operation(op).version == version) return;
  edited_ = true;
  operation(op).version = version;
}

void GraphEditor::SetOptions(OpId op, OpOptions options) {
  edited_ = true;
  operation(op).options = std::move(options);
}

void GraphEditor::ReplaceInterface(std::vector<TensorId> Subgraph::*tensors,
                                   std::vector<SignatureEntry> Signature::*entries, TensorId from, TensorId to) {
  edited_ = true;
  std::replace((graph().*tensors).begin(), (graph().*tensors).end(), from, to);
  for (Signature& signature : model_.signatures) {
    if (signature.subgraph != subgraph_) continue;
    for (SignatureEntry& entry : signature.*entries) {
      if (entry.tensor == from) entry.tensor = to;
    }
  }
}

void GraphEditor::ReplaceSubgraphOutput(TensorId from, TensorId to) {
  ReplaceInterface(&Subgraph::outputs, &Signature::outputs, from, to);
}

void GraphEditor::ReplaceSubgraphInput(TensorId from, TensorId to) {
  ReplaceInterface(&Subgraph::inputs, &Signature::inputs, from, to);
}

void GraphEditor::DropUnused() {
  edited_ = true;
  tensors_used_.assign(tensors_used_.size(), true);
  buffers_used_.assign(buffers_used_.size(), true);
}

void GraphEditor::Finish() {
  finished_ = true;
  if (!edited_) return;
  PlaceOps();
  DropTensors();
  DropBuffers();
}

void GraphEditor::PlaceOps() {
  std::stable_sort(insertions_.begin(), insertions_.end(),
                   [](const Insertion& a, const Insertion& b) { return a.place < b.place; });
  std::vector<Op> ops;
  ops.reserve(graph().ops.size() + insertions_.size());
  auto next = insertions_.begin();
  const auto insert_up_to = [&](int64_t place) {
    for (; next != insertions_.end() && next->place <= place; ++next) ops.push_back(std::move(next->op));
  };
  for (size_t i = 0; i < graph().ops.size(); ++i) {
    insert_up_to(2 * static_cast<int64_t>(i));
    if (!erased_[i]) ops.push_back(std::move(graph().ops[i]));
    insert_up_to(2 * static_cast<int64_t>(i) + 1);
  }
  insert_up_to(2 * static_cast<int64_t>(graph().ops.size()));
  graph().ops = std::move(ops);
  insertions_.clear();
}

void GraphEditor::DropTensors() {
  const std::vector<int32_t> places = Compact(graph().tensors, tensors_used_, UsedTensors(model_, subgraph_));
  const auto renumber = [&](TensorId& id) { id = TensorId(places[id.index()]); };
  ForEachTensorReference(model_, subgraph_, renumber);
  for (Tensor& tensor : graph().tensors) {
    std::vector<TensorId> details = DetailTensors(tensor.quantization);
    if (details.empty()) continue;
    for (TensorId& detail : details) {
      if (detail.valid()) renumber(detail);
    }
    SetDetailTensors(tensor.quantization, details);
  }
}

void GraphEditor::DropBuffers() {
  const std::vector<int32_t> places = Compact(model_.buffers, buffers_used_, UsedBuffers(model_));
  ForEachBufferReference(model_, [&](BufferId& id) { id = BufferId(places[id.index()]); });
}

}  // namespace lathe
