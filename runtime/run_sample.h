#ifndef LATHE_RUNTIME_RUN_SAMPLE_H_
#define LATHE_RUNTIME_RUN_SAMPLE_H_

#include <vector>

#include "common/status.h"
#include "runtime/interpreter.h"
#include "runtime/samples.h"

namespace lathe {

// Runs one sample, given for a model with inputs `from`, on `interpreter`, whose inputs may be quantized where those
// are not. Recurrent state is reset first. Errors as ConvertInput and Interpreter.
absl::Status RunSample(const std::vector<TensorInfo>& from, const Sample& sample, Interpreter& interpreter);

// INVALID_ARGUMENT MODELS_DIFFER unless both have as many tensors, of as many elements each; `side`: input or output.
absl::Status CheckPairs(const std::vector<TensorInfo>& a, const std::vector<TensorInfo>& b, const char* side);

}  // namespace lathe

#endif  // LATHE_RUNTIME_RUN_SAMPLE_H_
