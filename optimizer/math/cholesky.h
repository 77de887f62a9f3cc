#ifndef LATHE_OPTIMIZER_MATH_CHOLESKY_H_
#define LATHE_OPTIMIZER_MATH_CHOLESKY_H_

// Factors and solutions for symmetric positive definite matrices [k, k], row-major, computed in double precision. Both
// return FailedPrecondition, reason NOT_POSITIVE_DEFINITE, for a matrix that is not.

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "common/status.h"

namespace lathe::math {

// The unit upper triangular R of H = R D R^T with a diagonal D: what sequential rounding feeds back (rounding.h).
// `order` permutes H first: row i of the result belongs to row order[i] of H. REQUIRES: h.size() == k * k, order is a
// permutation of [0, k).
absl::StatusOr<std::vector<float>> FactorUpper(absl::Span<const float> h, absl::Span<const size_t> order);

// X with X H = B. `b` and the result are [rows, k]. REQUIRES: b.size() is a multiple of k.
absl::StatusOr<std::vector<float>> SolveRight(absl::Span<const float> h, absl::Span<const float> b, size_t k);

}  // namespace lathe::math

#endif  // LATHE_OPTIMIZER_MATH_CHOLESKY_H_
