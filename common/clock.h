#ifndef LATHE_COMMON_CLOCK_H_
#define LATHE_COMMON_CLOCK_H_

#include <chrono>
#include <cstdint>

namespace lathe {

// Where every time in the project comes from, so that tests set it. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  // Microseconds since 1970-01-01 UTC; may jump when the machine's time is set. For what people read and for storage.
  virtual int64_t NowMicros() const = 0;
  // Never jumps back. For durations and deadlines.
  virtual std::chrono::steady_clock::time_point Monotonic() const = 0;
};

class SystemClock final : public Clock {
 public:
  int64_t NowMicros() const override {
    return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
  }
  std::chrono::steady_clock::time_point Monotonic() const override { return std::chrono::steady_clock::now(); }
};

}  // namespace lathe

#endif  // LATHE_COMMON_CLOCK_H_
