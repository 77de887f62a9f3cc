#include "optimizer/passes/scale_groups.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "optimizer/passes/float_islands.h"
#include "optimizer/passes/integer_rules.h"

namespace lathe {
namespace {

// Union-find over the integer forms (tensor, width) of subgraph 0.
class GroupFinder {
 public:
  GroupFinder(const Model& model, const UseMap& uses, const std::vector<int>& widths)
      : model_(model), graph_(model.subgraphs[0]), uses_(uses), widths_(widths) {
    parent_.resize(2 * graph_.tensors.size());
    std::iota(parent_.begin(), parent_.end(), size_t{0});
    touched_.resize(parent_.size());
    fixed_.resize(parent_.size());
    members_.resize(parent_.size());
    for (size_t v = 0; v < parent_.size(); ++v) members_[v] = {v};
  }

  // The roots of all groups, by form; kUntouched for forms that nothing needs.
  static constexpr size_t kUntouched = static_cast<size_t>(-1);
  std::vector<size_t> Solve() {
    for (size_t i = 0; i < graph_.ops.size(); ++i) {
      if (widths_[i] != 0) Tie(OpId(i));
    }
    FixDequantized();
    for (size_t i = 0; i < graph_.ops.size(); ++i) {
      if (widths_[i] != 0) AdoptFixed(OpId(i));
    }
    for (size_t i = graph_.ops.size(); i-- > 0;) {
      if (widths_[i] != 0) JoinInputs(OpId(i));
    }
    std::vector<size_t> roots(parent_.size(), kUntouched);
    for (size_t v = 0; v < parent_.size(); ++v) {
      if (touched_[v]) roots[v] = Root(v);
    }
    return roots;
  }

  const std::optional<math::AffineParams>& fixed(size_t root) const { return fixed_[root]; }

  // True when something reads the form that is not clipped along with the group.
  bool IsMeasured(TensorId tensor, int bits) {
    const Tensor& description = graph_.tensor(tensor);
    if (model_.IsConstant(description)) return true;
    const bool produced = IsProduced(tensor, bits);
    if (produced && uses_.IsSubgraphOutput(tensor)) return true;
    const size_t root = Root(Form(tensor, bits));
    const auto& consumers = uses_.consumers(tensor);
    return std::any_of(consumers.begin(), consumers.end(), [&](OpId reader) {
      if (width(reader) != bits) return produced;  // else it reads the float tensor, which has all values
      return !rule(reader).selects || !WritesInto(reader, root);
    });
  }

 private:
  size_t Form(TensorId tensor, int bits) const { return 2 * tensor.index() + (bits == 16 ? 1 : 0); }
  int width(OpId op) const { return widths_[op.index()]; }
  const Op& op(OpId id) const { return graph_.ops[id.index()]; }
  const IntegerRule& rule(OpId id) const { return *FindIntegerRule(op(id).kind); }

  size_t Root(size_t v) {
    while (parent_[v] != v) v = parent_[v] = parent_[parent_[v]];
    return v;
  }

  void Unite(size_t a, size_t b) {
    a = Root(a), b = Root(b);
    if (a == b) return;
    if (members_[a].size() < members_[b].size()) std::swap(a, b);
    parent_[b] = a;
    members_[a].insert(members_[a].end(), members_[b].begin(), members_[b].end());
    members_[b].clear();
    if (!fixed_[a]) fixed_[a] = fixed_[b];
  }

  // True when an operator of this width writes the tensor, so that every other reader gets what it wrote.
  bool IsProduced(TensorId tensor, int bits) const {
    const OpId producer = uses_.producer(tensor);
    return producer.valid() && width(producer) == bits;
  }

  void Tie(OpId id) {
    const Op& operation = op(id);
    const IntegerRule& its = rule(id);
    const int bits = width(id);
    for (size_t operand : DataOperands(its, operation)) {
      // Constants of same-scale operators are quantized for each reader.
      const bool forced = its.scale_class == ScaleClass::kSameAsOutput;
      if (forced && model_.IsConstant(graph_.tensor(operation.inputs[operand]))) continue;
      touched_[Form(operation.inputs[operand], bits)] = true;
    }
    if (its.scale_class == ScaleClass::kNoOutput) return;
    for (TensorId result : operation.outputs) {
      const size_t form = Form(result, bits);
      touched_[form] = true;
      if (its.scale_class == ScaleClass::kFixedOutput) fixed_[form] = bits == 16 ? its.fixed16 : its.fixed8;
      if (its.scale_class == ScaleClass::kSameAsInput) {
        Unite(Form(operation.inputs[DataOperands(its, operation)[0]], bits), form);
      }
    }
  }

  // Where the input file dequantizes an integer activation, its readers take the integers as they are.
  void FixDequantized() {
    for (const Op& operation : graph_.ops) {
      if (operation.kind != OpKind::kDequantize || !operation.input(0).valid()) continue;
      const Tensor& from = graph_.tensor(operation.inputs[0]);
      if (model_.IsConstant(from) || from.quantization.scale.size() != 1 || from.quantization.details) continue;
      const int bits = from.type == TensorType::kInt8 ? 8 : from.type == TensorType::kInt16 ? 16 : 0;
      if (bits == 0 || (bits == 16 && from.quantization.zero_point[0] != 0)) continue;
      const size_t form = Form(operation.outputs[0], bits);
      if (!touched_[form] || fixed_[Root(form)]) continue;
      fixed_[Root(form)] = math::AffineParams{.scale = from.quantization.scale[0],
                                              .zero_point = static_cast<int32_t>(from.quantization.zero_point[0])};
    }
  }

  // A same-scale operator whose operands all have one fixed scale takes it.
  void AdoptFixed(OpId id) {
    if (rule(id).scale_class != ScaleClass::kSameAsOutput) return;
    std::optional<math::AffineParams> common;
    const std::vector<size_t> data = DataOperands(rule(id), op(id));
    for (size_t operand : data) {
      const size_t form = Form(op(id).inputs[operand], width(id));
      if (!touched_[form] || !fixed_[Root(form)]) return;
      if (common && !(*common == *fixed_[Root(form)])) return;
      common = fixed_[Root(form)];
    }
    for (size_t operand : data) Unite(Form(op(id).inputs[operand], width(id)), Form(op(id).outputs[0], width(id)));
  }

  void JoinInputs(OpId id) {
    const IntegerRule& its = rule(id);
    const bool clamps = its.scale_class == ScaleClass::kFree && its.selects;
    if (its.scale_class != ScaleClass::kSameAsOutput && !clamps) return;
    const size_t result = Form(op(id).outputs[0], width(id));
    for (size_t operand : DataOperands(its, op(id))) {
      const size_t form = Form(op(id).inputs[operand], width(id));
      if (!touched_[form] || Root(form) == Root(result)) continue;
      if (fixed_[Root(form)] || fixed_[Root(result)] || !OnlyReadBy(Root(form), id, Root(result))) continue;
      Unite(form, result);
    }
  }

  // True when nothing reads a member of the group but the group's own operators, `reader`, and others that clip to
  // `target`.
  bool OnlyReadBy(size_t group, OpId reader, size_t target) {
    return std::all_of(members_[group].begin(), members_[group].end(), [&](size_t form) {
      const TensorId tensor(form / 2);
      const int bits = form % 2 == 1 ? 16 : 8;
      if (model_.IsConstant(graph_.tensor(tensor))) return false;
      const bool produced = IsProduced(tensor, bits);
      if (produced && uses_.IsSubgraphOutput(tensor)) return false;
      const auto& consumers = uses_.consumers(tensor);
      return std::all_of(consumers.begin(), consumers.end(), [&](OpId consumer) {
        if (width(consumer) != bits) return !produced;
        if (consumer == reader) return true;
        return rule(consumer).selects && (WritesInto(consumer, group) || WritesInto(consumer, target));
      });
    });
  }

  bool WritesInto(OpId id, size_t root) {
    if (rule(id).scale_class == ScaleClass::kNoOutput) return false;
    return Root(Form(op(id).outputs[0], width(id))) == root;
  }

  const Model& model_;
  const Subgraph& graph_;
  const UseMap& uses_;
  const std::vector<int>& widths_;
  std::vector<size_t> parent_;
  std::vector<bool> touched_;
  std::vector<std::optional<math::AffineParams>> fixed_;  // of roots
  std::vector<std::vector<size_t>> members_;              // of roots
};

}  // namespace

ScaleGroups::ScaleGroups(const Model& model, const UseMap& uses, const std::vector<int>& widths) {
  GroupFinder finder(model, uses, widths);
  const std::vector<size_t> roots = finder.Solve();
  std::vector<int> group_of_root(roots.size(), -1);
  for (std::vector<int>& index : index_) index.assign(roots.size() / 2, -1);
  for (size_t form = 0; form < roots.size(); ++form) {
    if (roots[form] == GroupFinder::kUntouched) continue;
    int& group = group_of_root[roots[form]];
    if (group < 0) {
      group = static_cast<int>(groups_.size());
      groups_.push_back(
          {.bits = form % 2 == 1 ? 16 : 8, .tensors = {}, .measured = {}, .fixed = finder.fixed(roots[form])});
    }
    const TensorId tensor(form / 2);
    index_[form % 2][tensor.index()] = group;
    ScaleGroup& its = groups_[static_cast<size_t>(group)];
    its.tensors.push_back(tensor);
    if (finder.IsMeasured(tensor, its.bits)) its.measured.push_back(tensor);
  }
  for (ScaleGroup& group : groups_) {
    if (group.measured.empty()) group.measured = group.tensors;
  }
}

std::vector<int> ChooseWidths(const Model& model, const SettingsTable* table, const QuantizeSettings& settings,
                              std::vector<OpId>* float_sums) {
  const Subgraph& graph = model.subgraphs[0];
  std::vector<int> widths(graph.ops.size(), 0);
  for (size_t i = 0; i < graph.ops.size(); ++i) {
    const Op& op = graph.ops[i];
    const QuantizeSettings* own = FullIntegerSettings(table, settings, op);
    if (own == nullptr) continue;
    if (WhyNotInteger(model, graph, op, *own).empty()) widths[i] = ActivationBits(model, graph, op, *own);
  }
  std::vector<OpId> sums = FindFloatSums(model, table, settings, widths);
  for (OpId sum : sums) widths[sum.index()] = 0;
  if (float_sums != nullptr) *float_sums = std::move(sums);
  return widths;
}

std::vector<ScaleGroup> FindScaleGroups(const Model& model, const SettingsTable* table,
                                        const QuantizeSettings& settings) {
  return ScaleGroups(model, UseMap(model.subgraphs[0]), ChooseWidths(model, table, settings)).groups();
}

}  // namespace lathe
