#ifndef LATHE_OPTIMIZER_MATH_PRODUCTS_H_
#define LATHE_OPTIMIZER_MATH_PRODUCTS_H_

// Products of dense float matrices, row-major. Every sum is taken in one fixed order with separate multiplication and
// addition, so the bits depend neither on the processor's vector width nor on the number of threads; a library's GEMM
// promises neither (docs/decisions/0017).

#include <cstdint>
#include <vector>

#include "absl/types/span.h"

namespace lathe::math {

// A matrix of [rows, columns] laid out for the products below. Worth keeping when it is multiplied several times.
class PackedMatrix {
 public:
  // REQUIRES: values.size() == rows * columns.
  PackedMatrix(absl::Span<const float> values, int64_t rows, int64_t columns);
  int64_t rows() const { return rows_; }
  int64_t columns() const { return columns_; }

  // Columns [kWidth * index, ...), one after the other in each row; zeros past the last column.
  static constexpr int64_t kWidth = 16;
  const float* panel(int64_t index) const { return panels_.data() + index * rows_ * kWidth; }

 private:
  int64_t rows_, columns_;
  std::vector<float> panels_;
};

// Which part of the result is wanted.
enum class Part { kAll, kUpper };  // kUpper: where column >= row; below that `out` is unspecified

// out[i, j] += sum over p of a[p, i] * b[p, j], in parallel over i. `a` is [b.rows(), m], `out` is [m, b.columns()].
// REQUIRES: sizes match.
void AddTransposedProduct(absl::Span<const float> a, int64_t m, const PackedMatrix& b, Part part,
                          absl::Span<float> out);

// y += factor * x. REQUIRES: equal sizes.
void AddScaled(float factor, absl::Span<const float> x, absl::Span<float> y);

// sums[i] += x[i] * y[i]. REQUIRES: equal sizes.
void AddProducts(absl::Span<const float> x, absl::Span<const float> y, absl::Span<float> sums);

}  // namespace lathe::math

#endif  // LATHE_OPTIMIZER_MATH_PRODUCTS_H_
