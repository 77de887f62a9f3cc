#include "runtime/run_sample.h"

#include "runtime/value_conversion.h"

namespace lathe {

absl::Status RunSample(const std::vector<TensorInfo>& from, const Sample& sample, Interpreter& interpreter) {
  LATHE_RETURN_IF_ERROR(interpreter.ResetState());
  std::vector<uint8_t> converted;
  for (size_t i = 0; i < from.size(); ++i) {
    LATHE_RETURN_IF_ERROR(ConvertInput(from[i], sample.inputs[i], interpreter.inputs()[i], &converted));
    LATHE_RETURN_IF_ERROR(interpreter.SetInput(i, converted));
  }
  return interpreter.Run();
}

absl::Status CheckPairs(const std::vector<TensorInfo>& a, const std::vector<TensorInfo>& b, const char* side) {
  if (a.size() != b.size()) {
    return MakeError(absl::StatusCode::kInvalidArgument, "MODELS_DIFFER",
                     absl::StrFormat("one model has %d %ss, the other %d", a.size(), side, b.size()));
  }
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i].elements == b[i].elements) continue;
    return MakeError(absl::StatusCode::kInvalidArgument, "MODELS_DIFFER",
                     absl::StrFormat("%s '%s' has %d elements in one model and %d in the other", side,
                                     DisplayName(a[i]), a[i].elements, b[i].elements));
  }
  return absl::OkStatus();
}

}  // namespace lathe
