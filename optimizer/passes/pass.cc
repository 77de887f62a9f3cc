#include "optimizer/passes/pass.h"

#include "optimizer/model/model_verifier.h"

namespace lathe {

absl::StatusOr<Change> RunPass(const Pass& pass, Model& model, PassContext& context) {
  LATHE_RETURN_IF_ERROR(context.cancel.Check());
  const std::string where = absl::StrFormat("pass %s", pass.name());
  if (pass.NeedsRanges() && context.ranges == nullptr) {
    return MakeError(absl::StatusCode::kFailedPrecondition, "RANGES_MISSING",
                     absl::StrFormat("%s: needs calibrated ranges and got none", where));
  }
  absl::StatusOr<Change> change = pass.Edit(model, context);
  if (!change.ok()) return Annotate(change.status(), where);
  if (absl::Status status = VerifyModel(model); !status.ok()) {
    return MakeError(absl::StatusCode::kInternal, "PASS_BROKE_MODEL",
                     absl::StrFormat("%s left a model that does not verify (a defect in Lathe, please report it): %s",
                                     where, status.message()));
  }
  return change;
}

}  // namespace lathe
