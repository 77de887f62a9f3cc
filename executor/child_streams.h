#ifndef LATHE_EXECUTOR_CHILD_STREAMS_H_
#define LATHE_EXECUTOR_CHILD_STREAMS_H_

// What a parent makes of the bytes that a child sends. Both ends are bounded: a child may send anything.

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "common/status.h"
#include "lathe/internal/v1/executor.pb.h"

namespace lathe {

// Cuts a stream of bytes into ExecutorEvents, each preceded by its size as a 4-byte little-endian number. One thread.
class EventDecoder {
 public:
  static constexpr size_t kEventBytesMax = 64 << 10;

  void Append(std::string_view bytes) { buffer_.append(bytes); }

  // The next whole event; nullopt: more bytes are needed. INTERNAL: larger than kEventBytesMax or not an ExecutorEvent;
  // the stream is of no use afterwards.
  absl::StatusOr<std::optional<internal::v1::ExecutorEvent>> Next();

 private:
  std::string buffer_;
};

// The last lines of a program's output. Lines are cut at 500 bytes; bytes that are not printable ASCII
// become '?', because the lines end in error messages. One thread.
class OutputTail {
 public:
  static constexpr size_t kLinesMax = 20;
  static constexpr size_t kLineBytesMax = 500;

  void Append(std::string_view bytes);

  // At most kLinesMax lines joined by newlines, the unfinished one included; "" when there was no output.
  std::string Text() const;

 private:
  std::deque<std::string> lines_;
  std::string unfinished_;
};

}  // namespace lathe

#endif  // LATHE_EXECUTOR_CHILD_STREAMS_H_
