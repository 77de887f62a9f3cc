#ifndef LATHE_RUNTIME_ARROW_LIBRARY_H_
#define LATHE_RUNTIME_ARROW_LIBRARY_H_

#include <memory>
#include <string>

#include "runtime/data_file.h"

namespace lathe {

// Opens a Parquet or Arrow IPC file through liblathe_arrow.so, which is loaded at the first call and never unloaded:
// beside the program, else where it was built. FAILED_PRECONDITION (ARROW_MISSING): it cannot be loaded, with the
// loader's words. Other errors: as DataFile::Open, without the file's name. Thread-safe.
absl::StatusOr<std::unique_ptr<DataFile>> OpenWithArrow(const std::string& path, uint64_t total_bytes_max);

}  // namespace lathe

#endif  // LATHE_RUNTIME_ARROW_LIBRARY_H_
