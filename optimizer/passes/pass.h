#ifndef LATHE_OPTIMIZER_PASSES_PASS_H_
#define LATHE_OPTIMIZER_PASSES_PASS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/cancel.h"
#include "common/status.h"
#include "optimizer/model/model.h"
#include "optimizer/passes/activation_stats.h"
#include "optimizer/passes/ranges.h"
#include "optimizer/passes/settings_table.h"
#include "optimizer/passes/weight_choices.h"

namespace lathe {

// What a pass did. Unchanged (count 0) exactly when the model's dump is unchanged.
struct Change {
  int64_t count = 0;                  // tensors or operators changed, as the pass's header says
  std::vector<std::string> warnings;  // for the report; each names its place
  // Why operators of subgraph 0 (by Op::origin) are not what their settings ask for, where the operator alone does not
  // tell (WhyNotInteger and the like do that).
  std::map<int32_t, std::string> reasons;
  bool changed() const { return count > 0; }
};

// What a pass may know besides the model. Passes never read the clock, the environment or another pass.
struct PassContext {
  // Which quantization each operator gets; null: all get the pass's own settings.
  const SettingsTable* settings = nullptr;
  // The range that each float activation of subgraph 0 of this very model is quantized to; null unless the pass asked
  // for them (NeedsRanges).
  const RangeTable* ranges = nullptr;
  // What calibration saw of subgraph 0 of this very model; null unless the pass asked for it (NeedsStats).
  const ActivationStats* stats = nullptr;
  // Integer weights and bias shifts that were chosen with data; null or without an entry: nearest rounding.
  const WeightChoices* weights = nullptr;
  CancelToken cancel;
};

// One rewrite of the model. A pass is const: what a run needs is local to it. Run in RunPass only, which verifies.
class Pass {
 public:
  virtual ~Pass() = default;

  // Kebab-case, as in the registry and in `lathe passes`.
  virtual std::string_view name() const = 0;

  // True: PassContext::ranges must hold the ranges of every float tensor of subgraph 0. Forgetting to override is safe:
  // the pass then sees null.
  virtual bool NeedsRanges() const { return false; }

  // True: PassContext::stats must be set.
  virtual bool NeedsStats() const { return false; }

  // Edits the model through GraphEditor. On an error the model may be half edited: the caller drops it.
  // InvalidArgument: the model holds something the pass cannot treat (NaN weights); FailedPrecondition: ranges missing.
  virtual absl::StatusOr<Change> Edit(Model& model, PassContext& context) const = 0;
};

// Runs one pass: checks for cancellation, edits, then verifies the model. INTERNAL PASS_BROKE_MODEL names the pass and
// what the verifier found. REQUIRES: the model verifies.
absl::StatusOr<Change> RunPass(const Pass& pass, Model& model, PassContext& context);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_PASS_H_
