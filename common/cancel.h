#ifndef LATHE_COMMON_CANCEL_H_
#define LATHE_COMMON_CANCEL_H_

#include <atomic>
#include <memory>

#include "common/status.h"

namespace lathe {

// A flag that one side sets once and the other side polls. Copies share the flag. Thread-safe.
class CancelToken {
 public:
  CancelToken() : cancelled_(std::make_shared<std::atomic<bool>>(false)) {}
  void Cancel() const { cancelled_->store(true, std::memory_order_release); }
  bool IsCancelled() const { return cancelled_->load(std::memory_order_acquire); }
  // OK, or CANCELLED with reason CANCELLED.
  absl::Status Check() const {
    if (!IsCancelled()) return absl::OkStatus();
    return MakeError(absl::StatusCode::kCancelled, "CANCELLED", "the job was cancelled");
  }

 private:
  std::shared_ptr<std::atomic<bool>> cancelled_;
};

}  // namespace lathe

#endif  // LATHE_COMMON_CANCEL_H_
