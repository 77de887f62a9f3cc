#include "runtime/arrow/arrow_status.h"

#include <algorithm>

namespace lathe {

absl::Status InvalidData(const std::string& text) {
  return MakeError(absl::StatusCode::kInvalidArgument, "DATA_INVALID", text);
}

std::string PrintableText(std::string_view text, size_t size_max) {
  std::string printable(text.substr(0, size_max));
  std::replace_if(
      printable.begin(), printable.end(), [](char c) { return c < 32 || c > 126; }, '?');
  return printable;
}

absl::Status FromArrow(const arrow::Status& status) {
  if (status.ok()) return absl::OkStatus();
  if (status.IsOutOfMemory()) {
    return InvalidData(
        absl::StrFormat("one piece of the file (a page, a dictionary or a record batch) needs more than %d MiB of "
                        "memory at once: write it again with smaller ones",
                        kArrowMemoryBytesMax >> 20));
  }
  const std::string text = status.message();
  return InvalidData("the file is damaged or cannot be read: " + PrintableText(text.substr(0, text.find('\n')), 300));
}

}  // namespace lathe
