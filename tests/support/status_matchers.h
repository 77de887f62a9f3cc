#ifndef LATHE_TESTS_SUPPORT_STATUS_MATCHERS_H_
#define LATHE_TESTS_SUPPORT_STATUS_MATCHERS_H_

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "common/status.h"

namespace lathe {

inline const absl::Status& StatusOf(const absl::Status& status) { return status; }
template <typename T>
const absl::Status& StatusOf(const absl::StatusOr<T>& result) {
  return result.status();
}

// Code, reason and a part of the message of an error.
template <typename Result>
testing::AssertionResult Fails(const Result& result, absl::StatusCode code, const std::string& reason,
                               const std::string& part = "") {
  const absl::Status& status = StatusOf(result);
  if (status.code() == code && ReasonOf(status) == reason &&
      std::string(status.message()).find(part) != std::string::npos) {
    return testing::AssertionSuccess();
  }
  return testing::AssertionFailure() << "got " << status.ToString() << " with reason " << ReasonOf(status);
}

template <typename Result>
testing::AssertionResult Succeeds(const Result& result) {
  if (StatusOf(result).ok()) return testing::AssertionSuccess();
  return testing::AssertionFailure() << StatusOf(result).ToString();
}

}  // namespace lathe

#endif  // LATHE_TESTS_SUPPORT_STATUS_MATCHERS_H_
