#ifndef LATHE_RUNTIME_ARROW_ARROW_DATA_FILE_H_
#define LATHE_RUNTIME_ARROW_ARROW_DATA_FILE_H_

#include <arrow/array.h>
#include <arrow/memory_pool.h>

#include <memory>
#include <vector>

#include "runtime/arrow/arrow_column.h"
#include "runtime/data_file.h"

namespace lathe {

// One column of a table in pieces, from front to back.
class ArrowChunks {
 public:
  virtual ~ArrowChunks() = default;
  // The next piece, or null at the end. INVALID_ARGUMENT (DATA_INVALID): damaged.
  virtual absl::StatusOr<std::shared_ptr<arrow::Array>> Next() = 0;
  // Called after so many bytes of the piece were copied.
  virtual void Consumed(uint64_t /*bytes*/) {}
};

// What Parquet and Arrow IPC have in common: columns by their schema, rows out of pieces.
class ArrowDataFile : public DataFile {
 public:
  absl::StatusOr<std::unique_ptr<ColumnReader>> OpenColumn(size_t index) final;

 protected:
  ArrowDataFile();
  // Fills columns(); one whose first row cannot be read gets a problem. INVALID_ARGUMENT (DATA_INVALID): more than
  // 1,000 columns, two of one name, or rows that are too many or unpack to more than `total_bytes_max` together.
  absl::Status Describe(const arrow::Schema& schema, int64_t rows, uint64_t total_bytes_max);
  virtual absl::StatusOr<std::unique_ptr<ArrowChunks>> OpenChunks(size_t column) = 0;

  const ArrowColumn& column(size_t index) const { return described_[index]; }
  arrow::MemoryPool* pool() { return &pool_; }

 private:
  absl::Status LookAtFirstRow(size_t column);

  arrow::CappedMemoryPool pool_;
  std::vector<ArrowColumn> described_;
};

}  // namespace lathe

#endif  // LATHE_RUNTIME_ARROW_ARROW_DATA_FILE_H_
