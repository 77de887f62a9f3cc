#include "optimizer/math/products.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "common/parallel.h"

namespace lathe::math {
namespace {

std::vector<float> Random(int64_t size, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(static_cast<size_t>(size));
  for (float& value : values) value = normal(random);
  return values;
}

TEST(AddTransposedProductTest, EqualsPlainLoops) {
  for (const auto& [rows, m, n] : {std::tuple{1, 1, 1}, {7, 6, 16}, {300, 13, 35}, {513, 61, 17}}) {
    const std::vector<float> a = Random(rows * m, 1), b = Random(rows * n, 2), start = Random(m * n, 3);
    std::vector<float> out = start;
    AddTransposedProduct(a, m, PackedMatrix(b, rows, n), Part::kAll, absl::MakeSpan(out));
    for (int i = 0; i < m; ++i) {
      for (int j = 0; j < n; ++j) {
        double sum = start[static_cast<size_t>(i * n + j)], size = 1;
        for (int p = 0; p < rows; ++p) {
          const double term =
              static_cast<double>(a[static_cast<size_t>(p * m + i)]) * b[static_cast<size_t>(p * n + j)];
          sum += term;
          size += std::abs(term);
        }
        EXPECT_NEAR(out[static_cast<size_t>(i * n + j)], sum, 1e-6 * size);
      }
    }
  }
}

TEST(AddTransposedProductTest, FillsTheUpperTriangle) {
  const std::vector<float> a = Random(100 * 50, 1);
  std::vector<float> all(50 * 50), upper(50 * 50);
  const PackedMatrix packed(a, 100, 50);
  AddTransposedProduct(a, 50, packed, Part::kAll, absl::MakeSpan(all));
  AddTransposedProduct(a, 50, packed, Part::kUpper, absl::MakeSpan(upper));
  for (size_t i = 0; i < 50; ++i) {
    for (size_t j = i; j < 50; ++j) EXPECT_EQ(upper[i * 50 + j], all[i * 50 + j]);
  }
}

TEST(AddTransposedProductTest, GivesTheSameBitsForAnyThreads) {
  const std::vector<float> a = Random(700 * 211, 1);
  const auto run = [&](int threads) {
    return WithThreads(threads, [&] {
      std::vector<float> out(211 * 211);
      AddTransposedProduct(a, 211, PackedMatrix(a, 700, 211), Part::kAll, absl::MakeSpan(out));
      return out;
    });
  };
  const std::vector<float> one = run(1);
  EXPECT_EQ(run(2), one);
  EXPECT_EQ(run(8), one);
}

TEST(AddScaledTest, AddsEveryElement) {
  for (const int64_t size : {0, 1, 7, 8, 29}) {
    const std::vector<float> x = Random(size, 1);
    std::vector<float> y = Random(size, 2), expected = y;
    for (size_t i = 0; i < x.size(); ++i) expected[i] += 0.3f * x[i];
    AddScaled(0.3f, x, absl::MakeSpan(y));
    for (size_t i = 0; i < x.size(); ++i) EXPECT_FLOAT_EQ(y[i], expected[i]);
  }
}

TEST(AddProductsTest, MultipliesElementByElement) {
  for (const int64_t size : {0, 1, 7, 8, 29}) {
    const std::vector<float> x = Random(size, 1), y = Random(size, 2);
    std::vector<float> sums = Random(size, 3), expected = sums;
    for (size_t i = 0; i < x.size(); ++i) expected[i] += x[i] * y[i];
    AddProducts(x, y, absl::MakeSpan(sums));
    for (size_t i = 0; i < x.size(); ++i) EXPECT_FLOAT_EQ(sums[i], expected[i]);
  }
}

}  // namespace
}  // namespace lathe::math
