#ifndef LATHE_RUNTIME_ARROW_IPC_DATA_FILE_H_
#define LATHE_RUNTIME_ARROW_IPC_DATA_FILE_H_

#include <memory>
#include <string>

#include "runtime/data_file.h"

namespace lathe {

// An Arrow IPC file (`has_footer`) or stream. It is mapped: record batches that are not compressed are read where they
// lie, and pages that were read are let go. Errors as DataFile::Open, without the file's name.
absl::StatusOr<std::unique_ptr<DataFile>> OpenIpcFile(const std::string& path, bool has_footer,
                                                      uint64_t total_bytes_max);

}  // namespace lathe

#endif  // LATHE_RUNTIME_ARROW_IPC_DATA_FILE_H_
