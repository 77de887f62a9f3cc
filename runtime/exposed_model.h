#ifndef LATHE_RUNTIME_EXPOSED_MODEL_H_
#define LATHE_RUNTIME_EXPOSED_MODEL_H_

// How intermediate values are read: a copy of the model in which they are outputs, mapped for the runtime.

#include <memory>
#include <string>
#include <vector>

#include "common/file.h"
#include "common/status.h"
#include "optimizer/model/model.h"

namespace lathe {

// For each tensor of subgraph 0, whether inputs or operators fill it from data that is not constant; dequantized
// weights are constant all the same.
std::vector<bool> FindActivations(const Model& model);

// The model with `tensors` as further outputs of subgraph 0. Tensor ids stay as they are; the shape of a RESHAPE
// that is computed while the model runs becomes a constant, further tensors at the end, for samples of the smallest
// shape (dynamic dimensions 1). REQUIRES: every tensor is one that an operator writes.
Model ExposeTensors(const Model& model, const std::vector<TensorId>& tensors);

// A file that is gone at the end of scope. Not written through AtomicFile: nobody else reads it, so it needs no fsync.
class ScratchFile {
 public:
  explicit ScratchFile(std::string path) : path_(std::move(path)) {}
  ~ScratchFile();
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;

  // Writes the model and maps the file. The error of the file system, naming the path.
  absl::StatusOr<std::shared_ptr<const MappedFile>> Write(const Model& model) const;

 private:
  std::string path_;
};

// The model as the runtime takes it, in one span. Constants that are views of `input`, the file that the model was made
// from, are not copied: it is mapped behind the rest. The rest is in memory if that is small; else everything is
// written to a file at `scratch_path`, which is gone on return. `input` may be null. Errors as MappedFile and the file
// system's.
absl::StatusOr<std::shared_ptr<const MappedFile>> MapForRuntime(const Model& model, const MappedFile* input,
                                                                const std::string& scratch_path);

}  // namespace lathe

#endif  // LATHE_RUNTIME_EXPOSED_MODEL_H_
