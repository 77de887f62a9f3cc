#ifndef LATHE_RUNTIME_NPY_H_
#define LATHE_RUNTIME_NPY_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "common/status.h"

namespace lathe {

// Element types of numpy arrays that we read. All are little-endian.
enum class NpyType {
  kBool,
  kInt8,
  kUint8,
  kInt16,
  kUint16,
  kInt32,
  kUint32,
  kInt64,
  kUint64,
  kFloat16,
  kFloat32,
  kFloat64
};

size_t SizeOf(NpyType type);
// As numpy says it: "uint8", "float32", ...
std::string_view NameOf(NpyType type);
bool IsFloat(NpyType type);

// What the header of a .npy file says. Element count and byte size do not overflow.
struct NpyHeader {
  NpyType type = NpyType::kFloat32;
  std::vector<int64_t> shape;
  uint64_t elements = 0;
  uint64_t data_bytes = 0;
};

// The first 10 or 12 bytes of a .npy file tell how long the header is; no file has a longer one than this.
constexpr size_t kNpyHeaderBytesMax = 64 * 1024;

// How many bytes the header takes, magic included. `start` holds the first 12 bytes of the file.
// InvalidArgument: not a .npy file, a version other than 1 to 3, or a header longer than kNpyHeaderBytesMax.
absl::StatusOr<size_t> FindNpyHeaderSize(absl::Span<const uint8_t> start);

// Parses a whole header. InvalidArgument: malformed; Fortran order; big-endian; a type we do not read (naming it);
// sizes that overflow. Messages say what to do and do not name the file: the caller does.
absl::StatusOr<NpyHeader> ParseNpyHeader(absl::Span<const uint8_t> header);

}  // namespace lathe

#endif  // LATHE_RUNTIME_NPY_H_
