#include "optimizer/math/cholesky.h"

#include <Eigen/Cholesky>
#include <Eigen/Core>

namespace lathe::math {
namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using FloatMap = Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;

Eigen::Index Size(size_t size) { return static_cast<Eigen::Index>(size); }

FloatMap View(absl::Span<const float> values, size_t rows, size_t columns) {
  return FloatMap(values.data(), Size(rows), Size(columns));
}

std::vector<float> ToFloats(const Matrix& matrix) {
  std::vector<float> values(static_cast<size_t>(matrix.size()));
  for (Eigen::Index i = 0; i < matrix.size(); ++i)
    values[static_cast<size_t>(i)] = static_cast<float>(matrix.data()[i]);
  return values;
}

absl::StatusOr<Eigen::LLT<Matrix>> Factor(const Matrix& matrix) {
  // Eigen cuts its blocks by the cache sizes it finds, and with them the order of its sums: give it fixed ones.
  static const bool kFixed = (Eigen::setCpuCacheSizes(32 << 10, 512 << 10, 4 << 20), true);
  static_cast<void>(kFixed);
  Eigen::LLT<Matrix> factor(matrix);
  if (factor.info() == Eigen::Success) return factor;
  return MakeError(absl::StatusCode::kFailedPrecondition, "NOT_POSITIVE_DEFINITE",
                   "second moments are not positive definite: dampen them more");
}

}  // namespace

absl::StatusOr<std::vector<float>> FactorUpper(absl::Span<const float> h, absl::Span<const size_t> order) {
  const size_t k = order.size();
  // The Cholesky factor L of the matrix read backwards, itself read backwards, is upper: R sqrt(D).
  Matrix backwards(Size(k), Size(k));
  for (size_t i = 0; i < k; ++i) {
    for (size_t j = 0; j < k; ++j) {
      backwards(Size(i), Size(j)) = static_cast<double>(h[order[k - 1 - i] * k + order[k - 1 - j]]);
    }
  }
  LATHE_ASSIGN_OR_RETURN(const Eigen::LLT<Matrix> factor, Factor(backwards));
  const Matrix lower = factor.matrixL();
  Matrix upper = Matrix::Zero(Size(k), Size(k));
  for (Eigen::Index j = 0; j < Size(k); ++j) {
    const Eigen::Index column = Size(k) - 1 - j;
    for (Eigen::Index i = 0; i <= j; ++i) upper(i, j) = lower(Size(k) - 1 - i, column) / lower(column, column);
  }
  return ToFloats(upper);
}

absl::StatusOr<std::vector<float>> SolveRight(absl::Span<const float> h, absl::Span<const float> b, size_t k) {
  LATHE_ASSIGN_OR_RETURN(const Eigen::LLT<Matrix> factor, Factor(View(h, k, k).cast<double>()));
  // H is symmetric: X H = B is H X^T = B^T.
  const Matrix transposed = factor.solve(View(b, b.size() / k, k).cast<double>().transpose());
  return ToFloats(transposed.transpose());
}

}  // namespace lathe::math
