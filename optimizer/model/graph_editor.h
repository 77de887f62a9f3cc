#ifndef LATHE_OPTIMIZER_MODEL_GRAPH_EDITOR_H_
#define LATHE_OPTIMIZER_MODEL_GRAPH_EDITOR_H_

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "optimizer/model/model.h"

namespace lathe {

// The only way in which a pass changes a subgraph. Ids handed in and out stay valid until Finish: inserted operators
// are kept aside with the place where they go, erased ones are marked. Finish puts them in, renumbers, and drops
// tensors and buffers that an edit left without a user. What no edit touched keeps its order, and what had no user
// before stays. One editor per model at a time: buffers are shared by all subgraphs and are renumbered too.
class GraphEditor {
 public:
  GraphEditor(Model& model, SubgraphId subgraph);
  ~GraphEditor();  // REQUIRES: Finish was called if anything was edited

  BufferId AddBuffer(std::vector<uint8_t> bytes);
  TensorId AddTensor(Tensor tensor);

  // Gives the tensor new bytes in a buffer of its own: other tensors that share the old buffer keep it. Type, shape and
  // quantization are set through SetTensor by the caller to match.
  void SetData(TensorId id, std::vector<uint8_t> bytes);
  // Replaces the whole description. REQUIRES: tensor.buffer is 0 or a buffer of the model.
  void SetTensor(TensorId id, Tensor tensor);
  // Changes type and quantization; clears min/max, which would be stale.
  void Retype(TensorId id, TensorType type, Quantization quantization);

  // The new operator runs right before / right after `anchor`; several at one anchor keep the order of the calls.
  void InsertBefore(OpId anchor, Op op);
  void InsertAfter(OpId anchor, Op op);
  // Runs before / after every operator of the subgraph.
  void InsertFirst(Op op);
  void InsertLast(Op op);
  // ENSURES: after Finish the operator is gone; its outputs too unless something still reads them.
  void Erase(OpId op);

  // In operators for which `where` is true (default: all; not in operators inserted by this editor), reads `to` instead
  // of `from`. Subgraph and signature outputs are left alone.
  void ReplaceUses(TensorId from, TensorId to, const std::function<bool(OpId)>& where = nullptr);
  // Sets one operand. REQUIRES: the operator has it.
  void SetInput(OpId op, size_t operand, TensorId tensor);
  void SetOutput(OpId op, size_t result, TensorId tensor);
  // Appends operands until there are `count`, left out (-1).
  void PadInputs(OpId op, size_t count);
  void SetVersion(OpId op, int32_t version);
  void SetOptions(OpId op, OpOptions options);
  // Makes `to` the subgraph output (and signature output) wherever `from` is; the same for inputs.
  void ReplaceSubgraphOutput(TensorId from, TensorId to);
  void ReplaceSubgraphInput(TensorId from, TensorId to);

  // ENSURES: Finish drops also the tensors of this subgraph and the buffers that had no user before any edit.
  void DropUnused();

  // ENSURES: the model verifies if every edit kept its REQUIRES; all ids from before are void.
  void Finish();

  bool edited() const { return edited_; }

 private:
  struct Insertion {
    int64_t place;  // 2 * anchor for before, 2 * anchor + 1 for after; -1 first, 2 * operators last
    Op op;
  };
  Subgraph& graph() { return model_.subgraph(subgraph_); }
  Op& operation(OpId id) { return graph().ops[id.index()]; }
  void Insert(int64_t place, Op op);
  void ReplaceInterface(std::vector<TensorId> Subgraph::*tensors, std::vector<SignatureEntry> Signature::*entries,
                        TensorId from, TensorId to);
  void PlaceOps();
  void DropTensors();
  void DropBuffers();

  Model& model_;
  SubgraphId subgraph_;
  std::vector<Insertion> insertions_;
  std::vector<bool> erased_;
  std::vector<bool> tensors_used_, buffers_used_;  // before the first edit
  bool edited_ = false;
  bool finished_ = false;
};

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_MODEL_GRAPH_EDITOR_H_
