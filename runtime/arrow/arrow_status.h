#ifndef LATHE_RUNTIME_ARROW_ARROW_STATUS_H_
#define LATHE_RUNTIME_ARROW_ARROW_STATUS_H_

#include <arrow/result.h>

#include <exception>
#include <string>
#include <string_view>
#include <utility>

#include "common/status.h"

namespace lathe {

// Bytes that Arrow may hold at once for one file, whatever the file says. A page, a dictionary or a compressed record
// batch is read as a whole; usual writers make them of 1 MiB (Parquet) or of some thousand rows (Arrow IPC).
constexpr int64_t kArrowMemoryBytesMax = int64_t{320} << 20;

// INVALID_ARGUMENT (DATA_INVALID) with `text`.
absl::Status InvalidData(const std::string& text);

// Text that comes from a file, fit for a terminal: one line, printable ASCII, at most `size_max` characters.
std::string PrintableText(std::string_view text, size_t size_max);

// OK, or INVALID_ARGUMENT (DATA_INVALID): what Arrow found wrong with the file, in one line.
absl::Status FromArrow(const arrow::Status& status);

// The value of `make()`, an arrow::Result; Parquet's parts throw, and so does the standard library when a hostile size
// slips through: exceptions end here as errors of the file.
template <typename Make>
auto GuardArrow(Make&& make) -> absl::StatusOr<std::decay_t<decltype(*make())>> {
  try {
    auto result = make();
    if (!result.ok()) return FromArrow(result.status());
    return std::move(result).ValueUnsafe();
  } catch (const std::exception& error) {
    return FromArrow(arrow::Status::Invalid(error.what()));
  }
}

}  // namespace lathe

#endif  // LATHE_RUNTIME_ARROW_ARROW_STATUS_H_
