#ifndef LATHE_RUNTIME_ARROW_ARROW_PLUGIN_H_
#define LATHE_RUNTIME_ARROW_ARROW_PLUGIN_H_

#include <cstdint>
#include <memory>

#include "runtime/data_file.h"

namespace lathe {

// What liblathe_arrow.so offers: Parquet, and Arrow IPC as file and as stream. It is a library of its own, opened when
// such a file comes, because loading Arrow takes longer than a small job (docs/decisions/0024).

// The library's one function, by name. Errors as DataFile::Open, without the file's name.
using OpenArrowDataFile = absl::Status(const char* path, uint64_t total_bytes_max, std::unique_ptr<DataFile>* file);
constexpr char kOpenArrowDataFileName[] = "LatheOpenArrowDataFile";

}  // namespace lathe

#endif  // LATHE_RUNTIME_ARROW_ARROW_PLUGIN_H_
