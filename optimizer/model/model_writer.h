#ifndef LATHE_OPTIMIZER_MODEL_MODEL_WRITER_H_
#define LATHE_OPTIMIZER_MODEL_MODEL_WRITER_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/types/span.h"
#include "common/status.h"
#include "optimizer/model/model.h"

namespace lathe {

struct WriterOptions {
  // A file that would be larger than this keeps its buffers after the flatbuffer, named by Buffer.offset and size,
  // which runtimes before 2.14 cannot read. Flatbuffer offsets are 31 bits; tests set less to take that path.
  uint64_t inline_bytes_max = (uint64_t{1} << 31) - 16;
  // Bytes that whoever takes the result puts behind it, at the next multiple of MappedFile::kBehindAlignment. Buffers
  // that are views of them are not written: Buffer.offset and size name them there. Empty: all buffers are written.
  absl::Span<const uint8_t> behind = {};
};

// Writes the model as a .tflite file, in order, through `sink`; the same model gives the same bytes. Buffers go from
// where they lie to the sink, 16-aligned in the file, so memory grows with the graph and not with the weights. Operator
// codes are rebuilt: one for each (kind, custom code, version) in order of first use, old and new code field filled.
//
// InvalidArgument, reason MODEL_CORRUPT: the graph alone passes 2 GiB. Otherwise the sink's first error.
// REQUIRES: VerifyModel(model) passes.
absl::Status WriteModel(const Model& model, const std::function<absl::Status(absl::Span<const uint8_t>)>& sink,
                        const WriterOptions& options = {});

// Through AtomicFile, as scratch: the old file or the whole new one. It may be the file the model is mapped from.
absl::Status WriteModelToFile(const Model& model, const std::string& path, const WriterOptions& options = {});

// Into memory, for tests and small models.
absl::StatusOr<std::string> SerializeModel(const Model& model, const WriterOptions& options = {});

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_MODEL_MODEL_WRITER_H_
