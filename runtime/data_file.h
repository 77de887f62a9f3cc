#ifndef LATHE_RUNTIME_DATA_FILE_H_
#define LATHE_RUNTIME_DATA_FILE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/status.h"
#include "runtime/npy.h"

namespace lathe {

// One column of a data file: an array of a .npz file, a column of a table.
struct DataColumn {
  std::string name;  // printable; "" for the only array of a .npy file
  NpyType type = NpyType::kFloat32;
  // The first axis counts samples, the others are the shape of one. Empty: one number for the whole file, no samples.
  std::vector<int64_t> shape;
  // The values are files of their own (images), each of any length: type says nothing and shape is [samples].
  bool encoded = false;
  std::string problem;  // why it cannot be read, e.g. "expected numbers, ..., found string"; empty if it can

  uint64_t rows() const { return shape.empty() ? 0 : static_cast<uint64_t>(shape[0]); }
  uint64_t RowElements() const {
    uint64_t elements = shape.empty() ? 0 : 1;
    for (size_t axis = 1; axis < shape.size(); ++axis) elements *= static_cast<uint64_t>(shape[axis]);
    return elements;
  }
  uint64_t RowBytes() const { return RowElements() * SizeOf(type); }
};

// Reads one column from front to back. Used by one thread at a time.
class ColumnReader {
 public:
  virtual ~ColumnReader() = default;
  // Makes `value` what the next sample has: RowBytes() bytes, or an encoded file. INVALID_ARGUMENT (DATA_INVALID): the
  // file is damaged or ends early, or this sample is null or has another length; the caller says which column.
  // REQUIRES: there is a next sample.
  virtual absl::Status Read(std::vector<uint8_t>* value) = 0;
  // Passes over `count` samples. Errors and requirement as Read.
  virtual absl::Status Skip(uint64_t count) = 0;
};

// A data file from anywhere, which is hostile until read: sizes are checked before anything is allocated by them.
// Readers stream: memory is bounded whatever the file's size. Not thread-safe, nor are several readers of one file.
class DataFile {
 public:
  // By the contents: .npz, .npy, Parquet, Arrow IPC (file or stream). INVALID_ARGUMENT (DATA_INVALID): not a data file,
  // damaged, or more than `total_bytes_max` unpacked; naming the file's last path component and what to do. NOT_FOUND:
  // no such file. FAILED_PRECONDITION (ARROW_MISSING): Parquet or Arrow, and liblathe_arrow.so cannot be loaded.
  static absl::StatusOr<std::unique_ptr<DataFile>> Open(const std::string& path, uint64_t total_bytes_max);
  virtual ~DataFile() = default;

  const std::vector<DataColumn>& columns() const { return columns_; }
  // What is in the file and cannot be a column, as sentences without a subject: "'x.txt' is no array".
  const std::vector<std::string>& ignored() const { return ignored_; }
  // At the first sample. It must not outlive this object. INVALID_ARGUMENT (DATA_INVALID): damaged.
  virtual absl::StatusOr<std::unique_ptr<ColumnReader>> OpenColumn(size_t index) = 0;

 protected:
  std::vector<DataColumn> columns_;
  std::vector<std::string> ignored_;
};

}  // namespace lathe

#endif  // LATHE_RUNTIME_DATA_FILE_H_
