#ifndef LATHE_RUNTIME_ARROW_PARQUET_DATA_FILE_H_
#define LATHE_RUNTIME_ARROW_PARQUET_DATA_FILE_H_

#include <memory>
#include <string>

#include "runtime/data_file.h"

namespace lathe {

// A Parquet file. Its columns are decoded page by page, so that row groups may be of any size. Errors as
// DataFile::Open, without the file's name; also encrypted files, and columns of a compression that this build of Arrow
// lacks (which get a DataColumn::problem).
absl::StatusOr<std::unique_ptr<DataFile>> OpenParquetFile(const std::string& path, uint64_t total_bytes_max);

}  // namespace lathe

#endif  // LATHE_RUNTIME_ARROW_PARQUET_DATA_FILE_H_
