#ifndef LATHE_RUNTIME_NPZ_FILE_H_
#define LATHE_RUNTIME_NPZ_FILE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "common/status.h"
#include "runtime/npy.h"

namespace lathe {

// Reads one array's values from front to back.
class ArrayStream {
 public:
  virtual ~ArrayStream() = default;
  // Fills `out` with the next bytes. InvalidArgument (DATA_INVALID): the file is damaged or ends early.
  virtual absl::Status Read(absl::Span<uint8_t> out) = 0;
  // Passes over the next bytes, without reading them where they are not compressed; damage in them may stay unnoticed,
  // as may later damage. Errors as Read.
  virtual absl::Status Skip(uint64_t count) = 0;
};

// A .npz or .npy file from anywhere: a zip of arrays is as hostile as any other zip. Nothing is unpacked but what is
// read, in pieces; no name in the archive ever becomes a path. Not thread-safe; each stream is used by one thread at a
// time.
class NpzFile {
 public:
  struct Array {
    std::string name;  // without .npy; "" for the array of a .npy file
    NpyHeader header;
  };

  // Reads the names and headers of all arrays. InvalidArgument (DATA_INVALID): neither kind of file; damaged; more than
  // 1,000 members; a member that is encrypted, has a path or a name that comes twice, is compressed with anything but
  // deflate, or more than 100 : 1; sizes that together pass `total_bytes_max` or do not agree with the header.
  // NotFound: no such file. Messages name the file's last path component and the array.
  static absl::StatusOr<std::unique_ptr<NpzFile>> Open(const std::string& path, uint64_t total_bytes_max);
  virtual ~NpzFile() = default;

  const std::vector<Array>& arrays() const { return arrays_; }
  // A stream at the array's first value. It must not outlive this object.
  virtual absl::StatusOr<std::unique_ptr<ArrayStream>> OpenArray(size_t index) = 0;
  // Members that are no arrays, which were ignored.
  const std::vector<std::string>& ignored() const { return ignored_; }

 protected:
  std::vector<Array> arrays_;
  std::vector<std::string> ignored_;
};

}  // namespace lathe

#endif  // LATHE_RUNTIME_NPZ_FILE_H_
