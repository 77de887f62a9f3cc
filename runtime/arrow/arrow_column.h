#ifndef LATHE_RUNTIME_ARROW_ARROW_COLUMN_H_
#define LATHE_RUNTIME_ARROW_ARROW_COLUMN_H_

#include <arrow/array.h>
#include <arrow/type.h>

#include <vector>

#include "runtime/data_file.h"

namespace lathe {

// What a column of a table holds, seen from its type and its first row.
struct ArrowColumn {
  DataColumn column;
  // How long the lists are, from outside to inside; kLengthUnknown until the first row says it.
  std::vector<int64_t> lengths;
  static constexpr int64_t kLengthUnknown = -1;

  bool NeedsFirstRow() const;
};

// The column of `field` in a table of `rows` rows: numbers, lists of them to any depth, fixed-shape tensors, and binary
// values or structs with a binary field `bytes` (as Hugging Face writes images) as encoded files. What else there is
// gets a `column.problem`.
ArrowColumn DescribeField(const arrow::Field& field, int64_t rows);

// Takes list lengths and shape from row 0 of `array`. INVALID_ARGUMENT (DATA_INVALID): null or too large.
// REQUIRES: array.length() > 0 and its type is the column's.
absl::Status DescribeFirstRow(const arrow::Array& array, ArrowColumn* column);

// Makes `value` the bytes of row `row`. INVALID_ARGUMENT (DATA_INVALID): a null, or a list of another length than in
// the first row; the message says which element. REQUIRES: the row exists and lengths are known.
absl::Status CopyRow(const arrow::Array& array, int64_t row, const ArrowColumn& column, std::vector<uint8_t>* value);

}  // namespace lathe

#endif  // LATHE_RUNTIME_ARROW_ARROW_COLUMN_H_
