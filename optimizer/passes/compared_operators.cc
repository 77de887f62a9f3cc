#include "optimizer/passes/compared_operators.h"

#include <algorithm>
#include <map>
#include <set>

#include "optimizer/model/op_options.h"
#include "optimizer/model/uses.h"

namespace lathe {
namespace {

bool IsActivationKind(OpKind kind) {
  return kind == OpKind::kRelu || kind == OpKind::kRelu6 || kind == OpKind::kReluN1To1 || kind == OpKind::kRelu0To1;
}

// Numbers that an interpreter can be given and asked for.
bool IsReadable(TensorType type) {
  switch (type) {
    case TensorType::kFloat32:
    case TensorType::kInt8:
    case TensorType::kUint8:
    case TensorType::kInt16:
    case TensorType::kInt32:
    case TensorType::kInt64:
    case TensorType::kBool:
      return true;
    default:
      return false;
  }
}

class Finder {
 public:
  Finder(const Model& a, const Model& b)
      : a_(a),
        b_(b),
        graph_a_(a.subgraphs[0]),
        graph_b_(b.subgraphs[0]),
        uses_a_(graph_a_),
        uses_b_(graph_b_),
        constant_a_(FindConstantTensors(a, graph_a_)),
        constant_b_(FindConstantTensors(b, graph_b_)) {}

  ComparedModels Find() {
    const OperatorAlignment alignment = AlignOperators(a_, b_);
    left_a_.insert(alignment.only_a.begin(), alignment.only_a.end());
    left_b_.insert(alignment.only_b.begin(), alignment.only_b.end());
    std::map<OpId, OpId> counterparts;
    for (const auto& [a, b] : alignment.pairs) counterparts[b] = a;
    AddInputs();
    for (size_t i = 0; i < graph_b_.ops.size(); ++i) {
      const OpId b(i);
      if (const auto found = counterparts.find(b); found != counterparts.end()) {
        AddPair(found->second, b);
      } else if (IsConversion(graph_b_.ops[i])) {
        AddConversion(b);
      }
    }
    found_.only_a.assign(left_a_.begin(), left_a_.end());
    found_.only_b.assign(left_b_.begin(), left_b_.end());
    return std::move(found_);
  }

 private:
  void AddInputs() {
    for (size_t i = 0; i < std::min(graph_a_.inputs.size(), graph_b_.inputs.size()); ++i) {
      const TensorId a = graph_a_.inputs[i], b = graph_b_.inputs[i];
      counterparts_[b] = a;
      const Tensor &from = graph_a_.tensor(a), &to = graph_b_.tensor(b);
      if (from.quantization.IsQuantized() || !to.quantization.IsQuantized() || from.type == to.type) continue;
      if (!IsReadable(from.type) || !IsReadable(to.type)) continue;
      ComparedOperator& place = found_.operators.emplace_back();
      place.a_outputs = {a};
      place.b_outputs = {b};
    }
  }

  void AddPair(OpId a, OpId b) {
    ComparedOperator place;
    place.a = a;
    place.b = b;
    OpId first_b = b;
    if (const OpId pad = PadBefore(graph_a_, uses_a_, a, left_a_); pad.valid()) {
      left_a_.erase(pad);
      place.chain.push_back(pad);
    }
    place.chain.push_back(a);
    if (const OpId pad = PadBefore(graph_b_, uses_b_, b, left_b_); pad.valid()) {
      left_b_.erase(pad);
      first_b = pad;
    }
    AddData(place, first_b);
    place.a_outputs = graph_a_.ops[a.index()].outputs;
    place.b_outputs = graph_b_.ops[b.index()].outputs;
    if (const OpId after = ActivationAfter(graph_a_, uses_a_, a, left_a_); after.valid()) {
      left_a_.erase(after);
      place.chain.push_back(after);
      place.a_outputs = graph_a_.ops[after.index()].outputs;
    }
    if (const OpId after = ActivationAfter(graph_b_, uses_b_, b, left_b_); after.valid()) {
      left_b_.erase(after);
      place.b_outputs = graph_b_.ops[after.index()].outputs;
    }
    for (size_t i = 0; i < place.b_outputs.size(); ++i) {
      if (place.b_outputs[i].valid() && place.a_outputs[i].valid())
        counterparts_[place.b_outputs[i]] = place.a_outputs[i];
    }
    KeepReadable(place);
    if (!place.a_outputs.empty()) found_.operators.push_back(std::move(place));
  }

  void AddConversion(OpId b) {
    const Op& op = graph_b_.ops[b.index()];
    if (!op.input(0).valid() || op.outputs.empty()) return;
    const auto found = counterparts_.find(op.input(0));
    if (found == counterparts_.end()) return;
    counterparts_[op.outputs[0]] = found->second;
    if (op.kind != OpKind::kQuantize) return;
    ComparedOperator place;
    place.b = b;
    place.a_outputs = {found->second};
    place.b_outputs = {op.outputs[0]};
    place.data = {{OpId(), 0, found->second, op.inputs[0]}};
    KeepReadable(place);
    if (!place.a_outputs.empty()) found_.operators.push_back(std::move(place));
  }

  // An operator that only this file has, whose only reader is `op`.
  static OpId PadBefore(const Subgraph& graph, const UseMap& uses, OpId op, const std::set<OpId>& left) {
    const TensorId data = graph.ops[op.index()].input(0);
    if (!data.valid()) return OpId();
    const OpId producer = uses.producer(data);
    if (!producer.valid() || left.count(producer) == 0 || graph.ops[producer.index()].kind != OpKind::kPad)
      return OpId();
    return uses.consumers(data).size() == 1 && !uses.IsSubgraphOutput(data) ? producer : OpId();
  }

  static OpId ActivationAfter(const Subgraph& graph, const UseMap& uses, OpId op, const std::set<OpId>& left) {
    const std::vector<TensorId>& outputs = graph.ops[op.index()].outputs;
    if (outputs.size() != 1 || !outputs[0].valid() || uses.IsSubgraphOutput(outputs[0])) return OpId();
    const auto readers = uses.consumers(outputs[0]);
    if (readers.size() != 1 || left.count(readers[0]) == 0) return OpId();
    return IsActivationKind(graph.ops[readers[0].index()].kind) ? readers[0] : OpId();
  }

  // Pairs the data operands of a's operators with b's: by position for operators that both have, the first one for a
  // PAD of one side.
  void AddData(ComparedOperator& place, OpId first_b) {
    const bool padded_a = place.chain.front() != place.a;
    const Op &op_a = graph_a_.ops[place.a.index()], &op_b = graph_b_.ops[place.b.index()];
    if (op_a.kind == OpKind::kCustom) place.why_not = "custom operators are not computed on other data";
    if (!ReferencedSubgraphs(op_a).empty()) place.why_not = "it runs other subgraphs";
    for (size_t i = 0; i < op_a.inputs.size(); ++i) {
      const bool outer_a = padded_a && i == 0, outer_b = first_b != place.b && i == 0;
      const OpId reader = outer_a ? place.chain.front() : place.a;
      const TensorId a = outer_a ? graph_a_.ops[reader.index()].input(0) : op_a.inputs[i];
      if (!a.valid() || constant_a_[a.index()] || graph_a_.tensor(a).is_variable) continue;
      const TensorId b = outer_b ? graph_b_.ops[first_b.index()].input(0) : op_b.input(i);
      if (!b.valid() || constant_b_[b.index()] || graph_b_.tensor(b).is_variable) {
        place.why_not = "what is data in one file is a constant in the other";
      } else if (!IsReadable(graph_a_.tensor(a).type) || !IsReadable(graph_b_.tensor(b).type)) {
        place.why_not = "its data are of a type that cannot be read";
      }
      place.data.push_back({reader, i, a, b});
    }
  }

  // Outputs that cannot be read are left out; a place that has none left is none.
  void KeepReadable(ComparedOperator& place) {
    std::vector<TensorId> a, b;
    for (size_t i = 0; i < place.a_outputs.size(); ++i) {
      const TensorId x = place.a_outputs[i], y = place.b_outputs[i];
      if (!x.valid() || !y.valid() || graph_a_.tensor(x).is_variable || graph_b_.tensor(y).is_variable) continue;
      if (!IsReadable(graph_a_.tensor(x).type) || !IsReadable(graph_b_.tensor(y).type)) continue;
      if (constant_a_[x.index()] || constant_b_[y.index()]) continue;
      a.push_back(x);
      b.push_back(y);
    }
    place.a_outputs = std::move(a);
    place.b_outputs = std::move(b);
  }

  const Model &a_, &b_;
  const Subgraph &graph_a_, &graph_b_;
  const UseMap uses_a_, uses_b_;
  const std::vector<bool> constant_a_, constant_b_;
  std::set<OpId> left_a_, left_b_;             // without a counterpart, not yet part of a chain
  std::map<TensorId, TensorId> counterparts_;  // of b's tensors in a
  ComparedModels found_;
};

}  // namespace

ComparedModels FindComparedOperators(const Model& a, const Model& b) { return Finder(a, b).Find(); }

}  // namespace lathe
