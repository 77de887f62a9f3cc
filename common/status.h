#ifndef LATHE_COMMON_STATUS_H_
#define LATHE_COMMON_STATUS_H_

// Errors of the whole project: absl::Status with one of the 16 canonical codes, a text that says what, where and what
// to do, and a machine-readable reason (UPPER_SNAKE, for example MODEL_CORRUPT) that reaches clients as
// google.rpc.ErrorInfo.reason and the command line as `error.reason`.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_format.h"

namespace lathe {

// One invalid field of a request or recipe. `field` is the path in proto form, e.g.
// spec.optimize.recipe.quantize.weights.bits.
struct FieldViolation {
  std::string field;
  std::string description;
  bool operator==(const FieldViolation&) const = default;
};

// An error with a reason. REQUIRES: code != kOk, reason is UPPER_SNAKE.
absl::Status MakeError(absl::StatusCode code, std::string_view reason, std::string_view message);

// INVALID_ARGUMENT with reason BAD_REQUEST; the message lists every violation. REQUIRES: !violations.empty().
absl::Status MakeViolationsError(const std::vector<FieldViolation>& violations);

// The reason given to MakeError, or the name of the canonical code when there is none. "" for OK.
std::string ReasonOf(const absl::Status& status);

// The violations given to MakeViolationsError; empty for other errors.
std::vector<FieldViolation> ViolationsOf(const absl::Status& status);

// The same error with "`context`: " before its message; code, reason and violations are kept. OK stays OK.
absl::Status Annotate(const absl::Status& status, std::string_view context);

}  // namespace lathe

#define LATHE_CONCAT_INNER(a, b) a##b
#define LATHE_CONCAT(a, b) LATHE_CONCAT_INNER(a, b)

// __COUNTER__ and not __LINE__: either macro may stand in a lambda that is part of another one's argument.
#define LATHE_RETURN_IF_ERROR(expr) LATHE_RETURN_IF_ERROR_IMPL(LATHE_CONCAT(lathe_status_, __COUNTER__), expr)
#define LATHE_RETURN_IF_ERROR_IMPL(status, expr)                   \
  do {                                                             \
    if (absl::Status status = (expr); !status.ok()) return status; \
  } while (false)

#define LATHE_ASSIGN_OR_RETURN(lhs, expr) LATHE_ASSIGN_OR_RETURN_IMPL(LATHE_CONCAT(lathe_or_, __COUNTER__), lhs, expr)
#define LATHE_ASSIGN_OR_RETURN_IMPL(tmp, lhs, expr) \
  auto tmp = (expr);                                \
  if (!tmp.ok()) return std::move(tmp).status();    \
  lhs = std::move(tmp).value()

#endif  // LATHE_COMMON_STATUS_H_
