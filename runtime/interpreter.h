#ifndef LATHE_RUNTIME_INTERPRETER_H_
#define LATHE_RUNTIME_INTERPRETER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "common/file.h"
#include "common/status.h"
#include "optimizer/model/model.h"

namespace lathe {

// One input or output of the model, as it runs here: dynamic dimensions are 1.
struct TensorInfo {
  std::string name;            // the tensor's name in the file
  std::string signature_name;  // its name in the first signature of subgraph 0, or ""
  TensorId id;                 // in subgraph 0
  TensorType type = TensorType::kFloat32;
  std::vector<int32_t> shape;
  // real = scale * (q - zero_point). scale 0: not quantized (or not per tensor).
  float scale = 0;
  int64_t zero_point = 0;
  int64_t elements = 0;
  size_t size_bytes = 0;
};

// What users call the tensor: its signature name, else its tensor name.
const std::string& DisplayName(const TensorInfo& info);

// The inputs and outputs of subgraph 0 in the subgraph's order. INVALID_ARGUMENT (MODEL_UNSUPPORTED): a type that
// cannot be fed from outside (string, resource, variant, types below a byte), naming the tensor.
absl::StatusOr<std::vector<TensorInfo>> DescribeInputs(const Model& model);
absl::StatusOr<std::vector<TensorInfo>> DescribeOutputs(const Model& model);

struct InterpreterOptions {
  // kDelegate: XNNPACK where it can, what users run. kBuiltin: the runtime's own optimized kernels, one thread.
  // kReference: plain loops.
  enum class Kernels { kDelegate, kBuiltin, kReference };
  int threads = 1;
  Kernels kernels = Kernels::kDelegate;
  // The runtime's profiler can be used (RunProfiled); it slows every run down a little.
  bool profile = false;
  // The file that the model's bytes are, if they are one: its pages are released once the model is loaded, because the
  // runtime works on packed copies of most weights. May be null.
  const MappedFile* file = nullptr;
};

// One kernel of one run, as the runtime's profiler saw it.
struct KernelEvent {
  std::string kernel;           // the runtime's name of it; of built-in kernels the operator's kind
  bool delegated = false;       // inside XNNPACK
  int subgraph = 0, index = 0;  // of the operator; of built-in kernels only
  double ms = 0;                // whole microseconds, rounded down
};

// One loaded copy of a model. Not thread-safe; use one a thread. Loading packs the weights, so it costs about their
// size in memory and some milliseconds. The runtime may crash on an unusual model: call this in an executor only.
class Interpreter {
 public:
  // `bytes` is the file that `model` was read from; it must outlive the interpreter. `model` is not kept.
  // FAILED_PRECONDITION: RUNTIME_MISSING (see litert_library.h); RUNTIME_REFUSED: the runtime cannot load or compile
  // the model, with its own words in the message. INVALID_ARGUMENT: see DescribeInputs.
  static absl::StatusOr<std::unique_ptr<Interpreter>> Create(const Model& model, absl::Span<const uint8_t> bytes,
                                                             const InterpreterOptions& options);
  virtual ~Interpreter() = default;
  Interpreter(const Interpreter&) = delete;
  Interpreter& operator=(const Interpreter&) = delete;

  // In the order of subgraph 0, whatever the order of a signature.
  const std::vector<TensorInfo>& inputs() const { return inputs_; }
  const std::vector<TensorInfo>& outputs() const { return outputs_; }

  // Copies one input in; it stays for later runs. REQUIRES: bytes.size() == inputs()[index].size_bytes.
  virtual absl::Status SetInput(size_t index, absl::Span<const uint8_t> bytes) = 0;
  // FAILED_PRECONDITION (RUNTIME_REFUSED): the runtime gave up, with its words.
  virtual absl::Status Run() = 0;
  // Run, with the profiler on: what ran, in execution order. Errors as Run. REQUIRES: InterpreterOptions::profile.
  virtual absl::StatusOr<std::vector<KernelEvent>> RunProfiled() = 0;
  // The output of the last Run, valid until the next Run or the end of the interpreter, 64-byte aligned.
  virtual absl::Span<const uint8_t> Output(size_t index) const = 0;
  // Sets variable tensors and resources (recurrent state) back to their start, so that samples do not depend on each
  // other: call it before each sample. Free for models without state, microseconds for variable tensors; a model with
  // resources is loaded again (milliseconds). Inputs must be set again afterwards.
  virtual absl::Status ResetState() = 0;
  virtual bool HasState() const = 0;

 protected:
  Interpreter() = default;
  std::vector<TensorInfo> inputs_, outputs_;
};

}  // namespace lathe

#endif  // LATHE_RUNTIME_INTERPRETER_H_
