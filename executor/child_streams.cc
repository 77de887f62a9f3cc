#include "executor/child_streams.h"

#include <cstdint>

#include "absl/strings/str_join.h"

namespace lathe {

absl::StatusOr<std::optional<internal::v1::ExecutorEvent>> EventDecoder::Next() {
  constexpr size_t kHeaderBytes = 4;
  if (buffer_.size() < kHeaderBytes) return std::nullopt;
  size_t size = 0;
  for (size_t i = 0; i < kHeaderBytes; ++i) size |= size_t{static_cast<uint8_t>(buffer_[i])} << (8 * i);
  if (size > kEventBytesMax) {
    return absl::InternalError(
        absl::StrFormat("the executor announced an event of %d bytes, the limit is %d", size, kEventBytesMax));
  }
  if (buffer_.size() < kHeaderBytes + size) return std::nullopt;
  internal::v1::ExecutorEvent event;
  if (!event.ParseFromArray(buffer_.data() + kHeaderBytes, static_cast<int>(size))) {
    return absl::InternalError(absl::StrFormat("the executor sent an event of %d bytes that does not parse", size));
  }
  buffer_.erase(0, kHeaderBytes + size);
  return event;
}

void OutputTail::Append(std::string_view bytes) {
  for (const char c : bytes) {
    if (c == '\n') {
      lines_.push_back(std::move(unfinished_));
      unfinished_.clear();
      if (lines_.size() > kLinesMax) lines_.pop_front();
      continue;
    }
    const auto byte = static_cast<uint8_t>(c);
    const bool printable = byte == '\t' || (byte >= 0x20 && byte < 0x7f);
    if (unfinished_.size() < kLineBytesMax) unfinished_.push_back(printable ? c : '?');
  }
}

std::string OutputTail::Text() const {
  std::deque<std::string> lines = lines_;
  if (!unfinished_.empty()) lines.push_back(unfinished_);
  if (lines.size() > kLinesMax) lines.pop_front();
  return absl::StrJoin(lines, "\n");
}

}  // namespace lathe
