#ifndef LATHE_TESTS_SUPPORT_FAKE_CLOCK_H_
#define LATHE_TESTS_SUPPORT_FAKE_CLOCK_H_

#include <atomic>

#include "common/clock.h"

namespace lathe {

// Stands still until a test moves it. Thread-safe.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(int64_t now_micros = 1'700'000'000'000'000) : start_micros_(now_micros), now_micros_(now_micros) {}
  int64_t NowMicros() const override { return now_micros_.load(); }
  std::chrono::steady_clock::time_point Monotonic() const override {
    return std::chrono::steady_clock::time_point(std::chrono::microseconds(now_micros_.load() - start_micros_));
  }
  void Advance(std::chrono::microseconds by) { now_micros_.fetch_add(by.count()); }

 private:
  const int64_t start_micros_;
  std::atomic<int64_t> now_micros_;
};

}  // namespace lathe

#endif  // LATHE_TESTS_SUPPORT_FAKE_CLOCK_H_
