#ifndef LATHE_OPTIMIZER_PASSES_INTEGER_REWRITER_H_
#define LATHE_OPTIMIZER_PASSES_INTEGER_REWRITER_H_

#include <map>
#include <tuple>
#include <vector>

#include "common/cancel.h"
#include "common/status.h"
#include "optimizer/model/graph_editor.h"
#include "optimizer/model/model.h"
#include "optimizer/model/uses.h"
#include "optimizer/passes/integer_parameters.h"
#include "optimizer/passes/static_weights.h"
#include "optimizer/passes/tensor_forms.h"

namespace lathe {

// Carries out an IntegerPlan on subgraph 0. Operators keep their place and origin; conversions stand right after what
// they convert. Inputs and outputs of the model take the type that the settings' io_type names: int8 and int16 as the
// graph has them, uint8 with the same scale and a zero point 128 higher. Clamps that the grid of their operand makes
// needless go.
class IntegerRewriter {
 public:
  struct Inputs {
    const SettingsTable* table = nullptr;
    const QuantizeSettings& settings;
    const RangeTable& ranges;
    const WeightChoices* weights = nullptr;
  };
  // `model` and `plan` must outlive the object.
  IntegerRewriter(Model& model, const IntegerPlan& plan, const Inputs& inputs)
      : model_(model),
        plan_(plan),
        inputs_(inputs),
        uses_(model.subgraphs[0]),
        editor_(model, SubgraphId(0)),
        forms_(model, uses_, editor_) {}

  // How many operators became integer. InvalidArgument WEIGHTS_NOT_FINITE. To be called once.
  absl::StatusOr<int64_t> Rewrite(const CancelToken& cancel);

 private:
  Subgraph& graph() { return model_.subgraphs[0]; }
  int width(OpId op) const { return plan_.widths[op.index()]; }

  void PlanSurface();
  Form SurfaceOf(TensorId tensor) const;
  bool IsFloatActivation(TensorId tensor) const;
  bool IsReadAsFloat(TensorId tensor) const;
  void UseDequantizedSources();
  bool IsNeedless(OpId id, const Op& op) const;
  absl::Status RewriteInteger(OpId id, const Op& op);
  absl::Status RewriteWeights(OpId id, const Op& op);
  void RewriteFloat(OpId id, const Op& op);
  void RewriteOutputs();
  TensorId WeightTensor(OpId id, const Op& op, size_t operand, StaticWeights& made);

  Model& model_;
  const IntegerPlan& plan_;
  const Inputs inputs_;
  const UseMap uses_;
  GraphEditor editor_;
  TensorForms forms_;
  std::map<std::tuple<TensorId, TensorType, std::vector<float>, OpId>, TensorId> weights_;
};

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_INTEGER_REWRITER_H_
