#ifndef LATHE_RUNTIME_LITERT_INTERPRETER_H_
#define LATHE_RUNTIME_LITERT_INTERPRETER_H_

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "runtime/interpreter.h"
#include "runtime/litert_library.h"
#include "runtime/plain_model.h"

namespace lathe {

// Interpreter on libLiteRt.so's compiled models. Only interpreter.cc includes this.
//
// Two facts of 2.3.0 shape it. The loader refuses any model with variable tensors (the state of recurrent operators),
// although the kernels below it run them well: such a model is loaded from a private copy of the file in which the
// variables' flags are cleared, and they are set again before it is compiled. And there is no call that resets the
// variables, but allocating tensors does: resizing an input away and back makes the next run allocate.
class LiteRtInterpreter : public Interpreter {
 public:
  static absl::StatusOr<std::unique_ptr<Interpreter>> Create(const Model& model, absl::Span<const uint8_t> bytes,
                                                             const InterpreterOptions& options);
  ~LiteRtInterpreter() override;
  absl::Status SetInput(size_t index, absl::Span<const uint8_t> bytes) override;
  absl::Status Run() override;
  absl::StatusOr<std::vector<KernelEvent>> RunProfiled() override;
  absl::Span<const uint8_t> Output(size_t index) const override;
  absl::Status ResetState() override;
  bool HasState() const override { return !variable_flags_.empty() || has_resources_; }

 private:
  LiteRtInterpreter(const litert::Api* api, const InterpreterOptions& options) : api_(*api), options_(options) {}

  absl::Status PrepareBytes(const Model& model, absl::Span<const uint8_t> bytes);
  absl::Status Load();
  void Unload();
  absl::Status Compile();
  absl::Status ResizeDynamicInputs();
  absl::Status UpdateOutputShapes();
  absl::Status CheckOrder();
  absl::Status AllocateBuffers();
  absl::StatusOr<litert::TensorBuffer> AllocateBuffer(const TensorInfo& info, litert::Requirements requirements);
  absl::Status UnlockOutputs();
  absl::Status Check(int status, std::string_view step) const;

  const litert::Api& api_;
  const InterpreterOptions options_;
  absl::Span<const uint8_t> bytes_;
  std::vector<uint8_t> private_copy_;   // of a model with variables or one that is not plain (plain_model.h)
  std::vector<size_t> variable_flags_;  // where in it the flags are
  bool has_resources_ = false;
  bool has_dynamic_shapes_ = false;

  // What the runtime sees and gives; the same as inputs_ and outputs_ for a plain model.
  std::vector<TensorInfo> runtime_outputs_;
  std::vector<OutputSource> sources_;
  std::vector<std::vector<uint8_t>> kept_;  // an output: its value where the runtime does not give it

  litert::LoadedModel model_ = nullptr;
  litert::CompiledModel compiled_ = nullptr;
  std::vector<litert::TensorBuffer> input_buffers_, output_buffers_;
  std::vector<const uint8_t*> output_data_;  // locked; null before the first run
};

}  // namespace lathe

#endif  // LATHE_RUNTIME_LITERT_INTERPRETER_H_
