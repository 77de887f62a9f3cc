#include "optimizer/math/rounding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "common/parallel.h"

namespace lathe::math {
namespace {

// Random weights, and inputs that are correlated and have a mean, as behind a RELU.
struct Layer {
  Layer(int64_t channels, int64_t k_size, int bit_count, uint32_t seed = 1) : k(k_size), bits(bit_count) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    weights.resize(static_cast<size_t>(channels * k));
    for (float& w : weights) w = normal(random);
    const auto size = static_cast<size_t>(k);
    second.assign(size * size, 0.0f);
    mean.assign(size, 0.0f);
    constexpr int kRows = 400;
    std::vector<float> x(size);
    for (int row = 0; row < kRows; ++row) {
      const float common = normal(random);
      for (float& value : x) value = std::max(0.0f, common + normal(random));
      for (size_t i = 0; i < size; ++i) {
        mean[i] += x[i] / kRows;
        for (size_t j = 0; j < size; ++j) second[i * size + j] += x[i] * x[j] / kRows;
      }
    }
    for (int64_t c = 0; c < channels; ++c) {
      float largest = 0;
      for (size_t i = 0; i < size; ++i)
        largest = std::max(largest, std::fabs(weights[static_cast<size_t>(c) * size + i]));
      scales.push_back(largest / static_cast<float>((1 << (bits - 1)) - 1));
    }
  }

  RoundingProblem problem() const { return RoundingProblem(weights, k, second, bits); }
  std::vector<int8_t> Nearest() const {
    std::vector<int8_t> levels(weights.size());
    RoundToNearest(problem(), scales, absl::MakeSpan(levels));
    return levels;
  }
  // The formula, in plain loops.
  double Loss(const std::vector<float>& with_scales, const std::vector<int8_t>& levels, size_t channel) const {
    const auto size = static_cast<size_t>(k);
    std::vector<double> error(size);
    for (size_t i = 0; i < size; ++i) {
      const size_t at = channel * size + i;
      error[i] = static_cast<double>(with_scales[channel]) * levels[at] - weights[at];
    }
    double loss = 0;
    for (size_t i = 0; i < size; ++i) {
      for (size_t j = 0; j < size; ++j) loss += error[i] * error[j] * second[i * size + j];
    }
    return loss;
  }
  double TotalLoss(const std::vector<float>& with_scales, const std::vector<int8_t>& levels) const {
    double total = 0;
    for (size_t c = 0; c < scales.size(); ++c) total += Loss(with_scales, levels, c);
    return total;
  }

  int64_t k;
  int bits;
  std::vector<float> weights, second, mean, scales;
};

TEST(RoundingLossTest, IsTheFormula) {
  const Layer layer(11, 27, 4);
  const std::vector<int8_t> levels = layer.Nearest();
  const std::vector<double> losses = RoundingLoss(layer.problem(), layer.scales, levels);
  ASSERT_EQ(losses.size(), 11u);
  for (size_t c = 0; c < losses.size(); ++c) {
    EXPECT_NEAR(losses[c], layer.Loss(layer.scales, levels, c), 1e-4 * losses[c]);
  }
}

TEST(RoundToNearestTest, ClampsToTheLevels) {
  const std::vector<float> weights = {0.5f, 1.5f, -2.5f, 100, -100}, second(25, 0.0f), scales = {1};
  std::vector<int8_t> levels(5);
  RoundToNearest(RoundingProblem(weights, 5, second, 4), scales, absl::MakeSpan(levels));
  EXPECT_THAT(levels, testing::ElementsAre(0, 2, -2, 7, -7));
}

TEST(ConditionMomentsTest, TakesTheMeanOutAndDampens) {
  const std::vector<float> second = {5, 2, 2, 2}, mean = {2, 1};
  EXPECT_THAT(ConditionMoments(second, mean, true, 0), testing::ElementsAre(1, 0, 0, 1));
  EXPECT_THAT(ConditionMoments(second, mean, false, 0.1), testing::ElementsAre(5.35f, 2, 2, 2.35f));
}

TEST(SearchScalesTest, NeverLosesAndGainsAtFourBits) {
  const Layer layer(16, 36, 4);
  std::vector<float> scales = layer.scales;
  const std::vector<float> factors = {0.5f, 0.6f, 0.7f, 0.8f, 0.9f};
  SearchScales(layer.problem(), factors, absl::MakeSpan(scales));
  std::vector<int8_t> levels(layer.weights.size());
  RoundToNearest(layer.problem(), scales, absl::MakeSpan(levels));
  const std::vector<int8_t> nearest = layer.Nearest();
  for (size_t c = 0; c < scales.size(); ++c) {
    EXPECT_LE(layer.Loss(scales, levels, c), layer.Loss(layer.scales, nearest, c) * 1.0001);
  }
  EXPECT_LT(layer.TotalLoss(scales, levels), 0.9 * layer.TotalLoss(layer.scales, nearest));
}

TEST(RefitScalesTest, FindsTheBestScaleOfGivenLevels) {
  const Layer layer(5, 18, 4);
  const std::vector<int8_t> levels = layer.Nearest();
  std::vector<float> scales = layer.scales;
  RefitScales(layer.problem(), levels, absl::MakeSpan(scales));
  for (size_t c = 0; c < scales.size(); ++c) {
    const double best = layer.Loss(scales, levels, c);
    EXPECT_LE(best, layer.Loss(layer.scales, levels, c));
    for (const float factor : {0.99f, 1.01f}) {
      std::vector<float> other = scales;
      other[c] *= factor;
      EXPECT_LT(best, layer.Loss(other, levels, c));
    }
  }
}

TEST(DescendCoordinatesTest, EndsWhereNoSingleLevelHelps) {
  const Layer layer(9, 20, 4);
  std::vector<int8_t> levels = layer.Nearest();
  DescendCoordinates(layer.problem(), layer.scales, 100, absl::MakeSpan(levels));
  EXPECT_LT(layer.TotalLoss(layer.scales, levels), 0.6 * layer.TotalLoss(layer.scales, layer.Nearest()));
  for (size_t i = 0; i < levels.size(); ++i) {
    const double loss = layer.Loss(layer.scales, levels, i / 20);
    for (const int step : {-1, 1}) {
      std::vector<int8_t> other = levels;
      other[i] = static_cast<int8_t>(other[i] + step);
      if (std::abs(other[i]) > 7) continue;
      EXPECT_GE(layer.Loss(layer.scales, other, i / 20), loss * 0.9999);
    }
  }
}

TEST(DescendCoordinatesTest, IsNeverWorseThanItsStart) {
  for (const int bits : {2, 4, 8}) {
    const Layer layer(8, 40, bits, static_cast<uint32_t>(bits));
    const std::vector<int8_t> start = layer.Nearest();
    std::vector<int8_t> levels = start;
    DescendCoordinates(layer.problem(), layer.scales, 2, absl::MakeSpan(levels));
    for (size_t c = 0; c < layer.scales.size(); ++c) {
      EXPECT_LE(layer.Loss(layer.scales, levels, c), layer.Loss(layer.scales, start, c) * 1.0001);
    }
  }
}

// Sequential rounding with feedback by the inverse of H, column by column as the paper has it.
std::vector<int8_t> PlainGptq(const Layer& layer) {
  const auto k = static_cast<size_t>(layer.k);
  std::vector<size_t> left(k);
  for (size_t i = 0; i < k; ++i) left[i] = i;
  std::stable_sort(left.begin(), left.end(),
                   [&](size_t a, size_t b) { return layer.second[a * k + a] > layer.second[b * k + b]; });
  std::vector<double> weights(layer.weights.begin(), layer.weights.end());
  std::vector<int8_t> levels(weights.size());
  while (!left.empty()) {
    // The inverse of H over the columns that are left, by Gauss-Jordan.
    const size_t n = left.size();
    std::vector<double> matrix(n * n), inverse(n * n, 0.0);
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = 0; j < n; ++j) matrix[i * n + j] = layer.second[left[i] * k + left[j]];
      inverse[i * n + i] = 1;
    }
    for (size_t pivot = 0; pivot < n; ++pivot) {
      const double by = matrix[pivot * n + pivot];
      for (size_t j = 0; j < n; ++j) matrix[pivot * n + j] /= by, inverse[pivot * n + j] /= by;
      for (size_t i = 0; i < n; ++i) {
        if (i == pivot) continue;
        const double factor = matrix[i * n + pivot];
        for (size_t j = 0; j < n; ++j) {
          matrix[i * n + j] -= factor * matrix[pivot * n + j];
          inverse[i * n + j] -= factor * inverse[pivot * n + j];
        }
      }
    }
    for (size_t c = 0; c < layer.scales.size(); ++c) {
      const double limit = (1 << (layer.bits - 1)) - 1, scale = layer.scales[c];
      const double weight = weights[c * k + left[0]];
      const double level = std::clamp(std::nearbyint(weight / scale), -limit, limit);
      levels[c * k + left[0]] = static_cast<int8_t>(level);
      for (size_t j = 1; j < n; ++j) weights[c * k + left[j]] -= (weight - level * scale) / inverse[0] * inverse[j];
    }
    left.erase(left.begin());
  }
  return levels;
}

TEST(RoundGptqTest, EqualsTheAlgorithmOfThePaper) {
  const Layer layer(6, 24, 4);
  std::vector<int8_t> levels(layer.weights.size());
  ASSERT_TRUE(RoundGptq(layer.problem(), layer.scales, absl::MakeSpan(levels)).ok());
  EXPECT_EQ(levels, PlainGptq(layer));
  EXPECT_LT(layer.TotalLoss(layer.scales, levels), 0.7 * layer.TotalLoss(layer.scales, layer.Nearest()));
}

TEST(RoundGptqTest, RefusesAnIndefiniteMatrix) {
  const std::vector<float> weights = {1, 2}, second = {1, 2, 2, 1}, scales = {1};
  std::vector<int8_t> levels(2);
  const absl::Status status = RoundGptq(RoundingProblem(weights, 2, second, 4), scales, absl::MakeSpan(levels));
  EXPECT_EQ(ReasonOf(status), "NOT_POSITIVE_DEFINITE");
}

TEST(RoundAdaptivelyTest, IsNeverWorseThanItsStartAndOftenBetter) {
  const Layer layer(12, 48, 4);
  const std::vector<int8_t> start = layer.Nearest();
  std::vector<int8_t> levels = start;
  RoundAdaptively(layer.problem(), layer.scales, {.iterations = 300}, absl::MakeSpan(levels));
  for (size_t c = 0; c < layer.scales.size(); ++c) {
    EXPECT_LE(layer.Loss(layer.scales, levels, c), layer.Loss(layer.scales, start, c) * 1.0001);
  }
  EXPECT_LT(layer.TotalLoss(layer.scales, levels), 0.6 * layer.TotalLoss(layer.scales, start));
}

// With inputs y = 2 x, half the weights give the outputs that were meant.
TEST(RefitWeightsTest, UndoesALinearChangeOfTheInputs) {
  const Layer layer(4, 10, 8);
  std::vector<float> cross = layer.second, second = layer.second;
  for (float& value : cross) value *= 2;
  for (float& value : second) value *= 4;
  const auto refitted = RefitWeights(layer.weights, layer.k, cross, second, 0);
  ASSERT_TRUE(refitted.ok()) << refitted.status();
  for (size_t i = 0; i < layer.weights.size(); ++i) EXPECT_NEAR((*refitted)[i], layer.weights[i] / 2, 1e-4);
}

TEST(RoundingTest, GivesTheSameBitsForAnyThreads) {
  const Layer layer(50, 70, 4);
  const auto run = [&](int threads) {
    return WithThreads(threads, [&] {
      std::vector<float> scales = layer.scales;
      const std::vector<float> factors = {0.6f, 0.8f};
      const RoundingProblem problem = layer.problem();
      SearchScales(problem, factors, absl::MakeSpan(scales));
      std::vector<int8_t> levels(layer.weights.size());
      EXPECT_TRUE(RoundGptq(problem, scales, absl::MakeSpan(levels)).ok());
      DescendCoordinates(problem, scales, 4, absl::MakeSpan(levels));
      RoundAdaptively(problem, scales, {.iterations = 20}, absl::MakeSpan(levels));
      RefitScales(problem, levels, absl::MakeSpan(scales));
      return std::pair(scales, levels);
    });
  };
  const auto one = run(1);
  EXPECT_EQ(run(2), one);
  EXPECT_EQ(run(8), one);
}

}  // namespace
}  // namespace lathe::math
