#include "optimizer/passes/float_islands.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "optimizer/model/uses.h"
#include "optimizer/passes/integer_rules.h"

namespace lathe {
namespace {

class SumFinder {
 public:
  SumFinder(const Model& model, const SettingsTable* table, const QuantizeSettings& settings, std::vector<int> widths)
      : model_(model),
        graph_(model.subgraphs[0]),
        table_(table),
        settings_(settings),
        widths_(std::move(widths)),
        uses_(graph_) {}

  // Against the order of execution, so that a sum that is added to another one follows it.
  std::vector<OpId> Find() {
    std::vector<OpId> found;
    for (size_t i = graph_.ops.size(); i-- > 0;) {
      if (!IsFloatSum(OpId(i))) continue;
      MakeFloat(OpId(i), found);
      for (size_t operand : {0u, 1u}) {
        const std::vector<OpId> movers = FindMovers(graph_.ops[i].inputs[operand]).value_or(std::vector<OpId>());
        for (OpId mover : movers) MakeFloat(mover, found);
      }
    }
    return found;
  }

 private:
  void MakeFloat(OpId op, std::vector<OpId>& found) {
    if (std::exchange(widths_[op.index()], 0) != 0) found.push_back(op);
  }

  bool IsInteger(OpId op) const { return op.valid() && widths_[op.index()] != 0; }

  bool IsFloatSum(OpId id) const {
    const Op& op = graph_.ops[id.index()];
    if (op.kind != OpKind::kAdd || !IsInteger(id) || !MayBeFloat(op) || !IsReadByFloatOnly(op.outputs[0])) return false;
    int float_conversions = 0, integer_conversions = 1;  // the result's DEQUANTIZE
    bool adds_float = false;
    for (size_t operand : {0u, 1u}) {
      const TensorId tensor = op.inputs[operand];
      if (model_.IsConstant(graph_.tensor(tensor))) return false;
      if (operand == 1 && tensor == op.inputs[0]) continue;
      const bool comes_in_float = FindMovers(tensor).has_value();
      adds_float |= comes_in_float;
      float_conversions += !comes_in_float && !IsReadBy(tensor, id, false);
      integer_conversions += comes_in_float && !IsReadBy(tensor, id, true);
    }
    return adds_float && float_conversions <= integer_conversions;
  }

  // The integer operators, from last to first, that move float values into the tensor and nowhere else: pooling by
  // maximum, padding. Empty: it is float itself. Nullopt: it comes from integers.
  std::optional<std::vector<OpId>> FindMovers(TensorId tensor) const {
    std::vector<OpId> movers;
    while (IsInteger(uses_.producer(tensor))) {
      const OpId id = uses_.producer(tensor);
      const Op& op = graph_.ops[id.index()];
      const bool moves = op.kind == OpKind::kMaxPool2d || op.kind == OpKind::kPad || op.kind == OpKind::kReshape;
      if (!moves || !MayBeFloat(op) || uses_.consumers(tensor).size() > 1 || uses_.IsSubgraphOutput(tensor)) {
        return std::nullopt;
      }
      movers.push_back(id);
      tensor = op.inputs[0];
    }
    return movers;
  }

  bool MayBeFloat(const Op& op) const {
    const QuantizeSettings* own = FullIntegerSettings(table_, settings_, op);
    return own != nullptr && !IsStrict(*own);
  }

  // Readers that a rule leaves in float may be integer in another plan: they say nothing.
  bool IsReadByFloatOnly(TensorId tensor) const {
    const auto readers = uses_.consumers(tensor);
    return !readers.empty() && !uses_.IsSubgraphOutput(tensor) &&
           std::all_of(readers.begin(), readers.end(), [&](OpId reader) {
             return widths_[reader.index()] == 0 &&
                    FullIntegerSettings(table_, settings_, graph_.ops[reader.index()]) != nullptr;
           });
  }

  // Whether an operator other than `but` reads the tensor as integers, or in float.
  bool IsReadBy(TensorId tensor, OpId but, bool integer) const {
    const auto readers = uses_.consumers(tensor);
    return std::any_of(readers.begin(), readers.end(),
                       [&](OpId reader) { return reader != but && (widths_[reader.index()] != 0) == integer; });
  }

  const Model& model_;
  const Subgraph& graph_;
  const SettingsTable* const table_;
  const QuantizeSettings& settings_;
  std::vector<int> widths_;
  const UseMap uses_;
};

}  // namespace

std::vector<OpId> FindFloatSums(const Model& model, const SettingsTable* table, const QuantizeSettings& settings,
                                const std::vector<int>& widths) {
  return SumFinder(model, table, settings, widths).Find();
}

}  // namespace lathe
