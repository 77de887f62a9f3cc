#ifndef LATHE_OPTIMIZER_MODEL_MODEL_READER_H_
#define LATHE_OPTIMIZER_MODEL_MODEL_READER_H_

#include <cstdint>
#include <memory>

#include "absl/types/span.h"
#include "common/file.h"
#include "common/status.h"
#include "optimizer/model/model.h"

namespace lathe {

// Reads a .tflite file of any age: files that fill only deprecated_builtin_code, without signatures, with several
// subgraphs, with buffers outside the flatbuffer (files over 2 GiB). The bytes may be hostile: every structure is
// checked before it is followed, and the result has passed VerifyModel.
//
// Weights stay views of the mapping, which the model keeps; only a buffer that lies at an address its element type does
// not allow is copied. Custom options are read into memory wherever the file keeps them.
//
// InvalidArgument, reason MODEL_CORRUPT: not a LiteRT model, cut short, or inconsistent; the message names the place.
// InvalidArgument, reason MODEL_UNSUPPORTED: a sound file that could not be written back as it is: weights in other
// files (external buffers), or operators, types and options newer than this build knows.
absl::StatusOr<Model> ReadModel(std::shared_ptr<const MappedFile> file);

// The same over bytes that the caller keeps alive, unchanged, as long as the model or a copy of it.
absl::StatusOr<Model> ReadModelFromBytes(absl::Span<const uint8_t> bytes);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_MODEL_MODEL_READER_H_
