#include "optimizer/passes/full_integer_pass.h"

#include <algorithm>
#include <utility>

#include "optimizer/passes/integer_parameters.h"
#include "optimizer/passes/integer_rewriter.h"
#include "optimizer/passes/integer_rules.h"

namespace lathe {
namespace {

bool TouchesFloatActivation(const Model& model, const Op& op) {
  const Subgraph& graph = model.subgraphs[0];
  const auto is_float = [&](TensorId id) {
    return id.valid() && graph.tensor(id).type == TensorType::kFloat32 && !model.IsConstant(graph.tensor(id));
  };
  return std::any_of(op.inputs.begin(), op.inputs.end(), is_float) ||
         std::any_of(op.outputs.begin(), op.outputs.end(), is_float);
}

// Why an operator that stays float does, or "" when the settings want it in float or accept that it is faster there.
std::string WhyFallsBack(const Model& model, const IntegerPlan& plan, size_t index, const QuantizeSettings& settings) {
  const Subgraph& graph = model.subgraphs[0];
  const Op& op = graph.ops[index];
  if (op.kind == OpKind::kQuantize || op.kind == OpKind::kDequantize) return "";
  if (plan.widths[index] != 0 || !TouchesFloatActivation(model, op)) return "";
  if (const auto found = plan.float_reasons.find(OpId(index)); found != plan.float_reasons.end()) return found->second;
  QuantizeSettings strict = settings;
  strict.require_full_integer = true;
  const std::string why = WhyNotInteger(model, graph, op, strict);
  // Nothing but speed or exactness speaks against it.
  const bool chosen = why.empty() && !settings.require_full_integer.value_or(false);
  return chosen ? "" : why;
}

// The first operator that would stay float although the settings forbid it: every one under require_full_integer;
// without allow_float_fallback those that cannot be integer, not those that are better in float.
absl::Status CheckFallback(const Model& model, const IntegerPlan& plan, const SettingsTable* table,
                           const QuantizeSettings& settings) {
  const Subgraph& graph = model.subgraphs[0];
  for (size_t i = 0; i < graph.ops.size(); ++i) {
    const QuantizeSettings* own = FullIntegerSettings(table, settings, graph.ops[i]);
    if (own == nullptr) continue;
    const bool strict = own->require_full_integer.value_or(false);
    if (!strict && own->allow_float_fallback.value_or(true)) continue;
    const std::string why = WhyFallsBack(model, plan, i, *own);
    if (why.empty()) continue;
    return MakeError(
        absl::StatusCode::kFailedPrecondition, "FLOAT_FALLBACK",
        absl::StrFormat("%s cannot be integer: %s; allow float fallback (quantize.%s) or choose another preset",
                        Where(SubgraphId(0), OpId(i), graph.ops[i]), why,
                        strict ? "require_full_integer: false" : "allow_float_fallback: true"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Change> FullIntegerPass::Edit(Model& model, PassContext& context) const {
  const IntegerPlan plan = PlanIntegers({.model = model,
                                         .ranges = *context.ranges,
                                         .table = context.settings,
                                         .settings = settings_,
                                         .weights = context.weights});
  LATHE_RETURN_IF_ERROR(CheckFallback(model, plan, context.settings, settings_));
  Change change;
  for (const auto& [op, reason] : plan.float_reasons) {
    change.warnings.push_back(
        absl::StrFormat("%s stays float: %s", Where(SubgraphId(0), op, model.subgraphs[0].ops[op.index()]), reason));
  }
  if (plan.ChangesNothing()) return change;
  for (OpId sum : plan.float_sums) {
    change.reasons[model.subgraphs[0].ops[sum.index()].origin] =
        "what reads it stays float: a sum in float needs no more QUANTIZE and DEQUANTIZE than one of integers";
  }
  IntegerRewriter rewriter(
      model, plan,
      {.table = context.settings, .settings = settings_, .ranges = *context.ranges, .weights = context.weights});
  LATHE_ASSIGN_OR_RETURN(change.count, rewriter.Rewrite(context.cancel));
  return change;
}

}  // namespace lathe
