#include "optimizer/passes/integer_weights_pass.h"

#include <cstring>
#include <utility>

#include "optimizer/model/graph_editor.h"
#include "optimizer/passes/integer_constants.h"
#include "optimizer/passes/versions.h"
#include "optimizer/passes/weight_plan.h"
#include "optimizer/passes/weights.h"

namespace lathe {
namespace {

using Place = IntegerConstant::Place;

Scheme SchemeOf(IntegerWeightsPass::Mode mode) {
  switch (mode) {
    case IntegerWeightsPass::Mode::kDynamicRange:
      return Scheme::kDynamicRange;
    case IntegerWeightsPass::Mode::kWeightOnly:
      return Scheme::kWeightOnly;
    case IntegerWeightsPass::Mode::kRecurrent:
      return Scheme::kFullInteger;
  }
  return Scheme::kNone;
}

// Edits one subgraph.
class SubgraphEdit {
 public:
  SubgraphEdit(Model& model, SubgraphId id, Change& change)
      : model_(model), id_(id), change_(change), editor_(model, id), constants_(model, id, editor_) {}

  absl::Status ApplyAll(const std::vector<WeightPlan>& plans, const WeightChoices* choices, const CancelToken& cancel) {
    for (size_t i = 0; i < plans.size(); ++i) {
      LATHE_RETURN_IF_ERROR(cancel.Check());
      const ChosenWeights* chosen = nullptr;
      if (choices != nullptr) {
        const auto found = choices->find(OpId(i));
        if (found != choices->end()) chosen = &found->second;
      }
      LATHE_RETURN_IF_ERROR(Apply(OpId(i), plans[i], chosen));
    }
    return absl::OkStatus();
  }

  void Finish() { editor_.Finish(); }

 private:
  absl::Status Apply(OpId id, const WeightPlan& plan, const ChosenWeights* chosen) {
    bool on_operator = false;
    for (const IntegerConstant& form : plan.constants) {
      const TensorId weights = op(id).inputs[form.operand];
      if (form.place == Place::kBehindDequantize) {
        bool is_new = false;
        LATHE_ASSIGN_OR_RETURN(TensorId floats, constants_.GetDequantized(weights, form, chosen, id, is_new));
        editor_.SetInput(id, form.operand, floats);
        change_.count += is_new;
        continue;
      }
      LATHE_ASSIGN_OR_RETURN(TensorId integers, constants_.Get(weights, form, chosen));
      editor_.SetInput(id, form.operand, integers);
      if (form.place == Place::kBeforeDequantize) DequantizeOutput(id, integers);
      on_operator = true;
    }
    if (!plan.constants.empty() && chosen != nullptr) ShiftBias(id, chosen->bias_shift);
    if (on_operator) {
      editor_.SetVersion(id, MinimalVersion(model_.subgraph(id_), op(id)));
      ++change_.count;
    }
    return absl::OkStatus();
  }

  const Op& op(OpId id) const { return model_.subgraph(id_).ops[id.index()]; }

  // The operator copies entries of `table`: its output has the table's scale, and a DEQUANTIZE writes what it wrote.
  void DequantizeOutput(OpId id, TensorId table) {
    const TensorId output = op(id).outputs[0];
    Tensor integers = model_.subgraph(id_).tensor(output);
    integers.type = model_.subgraph(id_).tensor(table).type;
    integers.quantization = model_.subgraph(id_).tensor(table).quantization;
    integers.name += "_" + TensorTypeLabel(integers.type);
    Op dequantize;
    dequantize.kind = OpKind::kDequantize;
    dequantize.inputs = {editor_.AddTensor(std::move(integers))};
    dequantize.outputs = {output};
    dequantize.version = MinimalVersion(model_.subgraph(id_), dequantize);
    editor_.SetOutput(id, 0, dequantize.inputs[0]);
    editor_.InsertAfter(id, std::move(dequantize));
  }

  void ShiftBias(OpId id, const std::vector<float>& shift) {
    const std::optional<WeightOperands> operands = GetWeightOperands(op(id).kind);
    if (shift.empty() || !operands || !operands->bias || !op(id).input(*operands->bias).valid()) return;
    Tensor bias = model_.subgraph(id_).tensor(op(id).inputs[*operands->bias]);
    if (!IsDenseFloatConstant(model_, bias)) return;
    const absl::Span<const float> values = model_.FloatData(bias);
    if (values.size() != shift.size()) return;
    std::vector<uint8_t> bytes(values.size() * sizeof(float));
    for (size_t c = 0; c < values.size(); ++c) {
      const float shifted = values[c] + shift[c];
      std::memcpy(bytes.data() + c * sizeof(float), &shifted, sizeof(float));
    }
    bias.buffer = editor_.AddBuffer(std::move(bytes));
    editor_.SetInput(id, *operands->bias, editor_.AddTensor(std::move(bias)));
  }

  Model& model_;
  const SubgraphId id_;
  Change& change_;
  GraphEditor editor_;
  IntegerConstants constants_;
};

}  // namespace

IntegerWeightsPass::IntegerWeightsPass(Mode mode, QuantizeSettings settings)
    : mode_(mode), settings_(std::move(settings)) {
  settings_.scheme = SchemeOf(mode);
}

std::string_view IntegerWeightsPass::name() const {
  switch (mode_) {
    case Mode::kDynamicRange:
      return "quantize-dynamic-range";
    case Mode::kWeightOnly:
      return "quantize-weight-only";
    case Mode::kRecurrent:
      break;
  }
  return "quantize-recurrent-weights";
}

// Empty for an operator that the mode does not take.
WeightPlan IntegerWeightsPass::Plan(const Model& model, SubgraphId subgraph, const Op& op,
                                    const SettingsTable* table) const {
  const QuantizeSettings& settings = table == nullptr ? settings_ : table->For(subgraph, op);
  if (settings.scheme != SchemeOf(mode_)) return {};
  if (mode_ != Mode::kRecurrent) return PlanWeights(model, model.subgraph(subgraph), op, settings);
  if (RecurrentWeightOperands(op).empty()) return {};
  QuantizeSettings dynamic_range;
  dynamic_range.scheme = Scheme::kDynamicRange;
  return PlanWeights(model, model.subgraph(subgraph), op, dynamic_range);
}

absl::StatusOr<Change> IntegerWeightsPass::Edit(Model& model, PassContext& context) const {
  Change change;
  for (size_t s = 0; s < model.subgraphs.size(); ++s) {
    const SubgraphId id(s);
    // All before the first edit: plans look at who else reads a constant.
    std::vector<WeightPlan> plans;
    for (const Op& op : model.subgraph(id).ops) {
      LATHE_RETURN_IF_ERROR(context.cancel.Check());
      plans.push_back(Plan(model, id, op, context.settings));
    }
    SubgraphEdit edit(model, id, change);
    const absl::Status status = edit.ApplyAll(plans, s == 0 ? context.weights : nullptr, context.cancel);
    edit.Finish();  // also after an error: an editor must not be left half-way
    LATHE_RETURN_IF_ERROR(status);
  }
  return change;
}

}  // namespace lathe
