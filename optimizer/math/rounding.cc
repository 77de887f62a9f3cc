#include "optimizer/math/rounding.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>

#include "common/parallel.h"
#include "optimizer/math/cholesky.h"

namespace lathe::math {
namespace {

// Channels that a task handles together: each row of H is read once for all of them, and products come in tiles of 6.
constexpr size_t kTile = 12;

int8_t Round(float value, int32_t level_max) {
  const auto limit = static_cast<float>(level_max);
  return static_cast<int8_t>(std::lrintf(std::min(std::max(value, -limit), limit)));
}

// Channels [begin, end) of a problem and E H for them.
class Tile {
 public:
  Tile(const RoundingProblem& problem, size_t begin, size_t end)
      : problem_(problem), begin_(begin), count_(end - begin), k_(static_cast<size_t>(problem.k)) {}

  size_t count() const { return count_; }
  size_t k() const { return k_; }
  const float* weights(size_t c) const { return problem_.weights.data() + (begin_ + c) * k_; }

  // product(c) = row c of `rows` times H. `at(c, i)` gives the rows' values.
  template <typename At>
  void Multiply(At&& at) {
    transposed_.resize(count_ * k_);
    product_.assign(count_ * k_, 0.0f);
    for (size_t i = 0; i < k_; ++i) {
      for (size_t c = 0; c < count_; ++c) transposed_[i * count_ + c] = at(c, i);
    }
    AddTransposedProduct(transposed_, static_cast<int64_t>(count_), problem_.packed, Part::kAll,
                         absl::MakeSpan(product_));
  }
  absl::Span<float> product(size_t c) { return absl::MakeSpan(product_).subspan(c * k_, k_); }
  // row c times H times row c, for the rows of the last Multiply.
  double Form(size_t c) const {
    double sum = 0;
    for (size_t i = 0; i < k_; ++i) sum += static_cast<double>(transposed_[i * count_ + c]) * product_[c * k_ + i];
    return sum;
  }

 private:
  const RoundingProblem& problem_;
  size_t begin_, count_, k_;
  std::vector<float> transposed_, product_;
};

// Calls body(begin, end) for tiles of channels, in parallel.
template <typename Body>
void ForEachTile(const RoundingProblem& problem, Body&& body) {
  ParallelForRanges(static_cast<size_t>(problem.channels()), kTile, body);
}

std::vector<size_t> ByDecreasingDiagonal(const RoundingProblem& problem) {
  const auto k = static_cast<size_t>(problem.k);
  std::vector<size_t> order(k);
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return problem.second[a * k + a] > problem.second[b * k + b]; });
  return order;
}

// One round over all coordinates of one tile, whose product is E H; false when no level moved.
bool Sweep(const RoundingProblem& problem, const std::vector<size_t>& order, absl::Span<const float> scales,
           absl::Span<int8_t> levels, Tile& tile) {
  const size_t k = tile.k();
  bool moved = false;
  for (size_t i : order) {
    const float curvature = problem.second[i * k + i];
    if (!(curvature > 0)) continue;
    const absl::Span<const float> row = problem.second.subspan(i * k, k);
    for (size_t c = 0; c < tile.count(); ++c) {
      int8_t& level = levels[c * k + i];
      const float step = tile.product(c)[i] / (curvature * scales[c]);
      if (std::fabs(step) <= 0.5f) continue;  // the nearest level is the one it has
      const int8_t wanted = Round(static_cast<float>(level) - step, problem.level_max());
      if (wanted == level) continue;
      AddScaled(static_cast<float>(wanted - level) * scales[c], row, tile.product(c));
      level = wanted;
      moved = true;
    }
  }
  return moved;
}

// Puts `before` back into the channels of `levels` whose loss grew.
void KeepBetter(const RoundingProblem& problem, absl::Span<const float> scales, absl::Span<const int8_t> before,
                absl::Span<int8_t> levels) {
  const std::vector<double> old_loss = RoundingLoss(problem, scales, before);
  const std::vector<double> new_loss = RoundingLoss(problem, scales, levels);
  for (int64_t c = 0; c < problem.channels(); ++c) {
    if (new_loss[static_cast<size_t>(c)] <= old_loss[static_cast<size_t>(c)]) continue;
    std::copy_n(before.data() + c * problem.k, problem.k, levels.data() + c * problem.k);
  }
}

}  // namespace

std::vector<float> ConditionMoments(absl::Span<const float> second, absl::Span<const float> mean, bool bias_corrected,
                                    double damping) {
  const size_t k = mean.size();
  std::vector<float> result(second.begin(), second.end());
  double trace = 0;
  for (size_t i = 0; i < k; ++i) {
    for (size_t j = 0; bias_corrected && j < k; ++j) result[i * k + j] -= mean[i] * mean[j];
    trace += std::max(result[i * k + i], 0.0f);
  }
  const auto ridge = static_cast<float>(damping * trace / static_cast<double>(k));
  for (size_t i = 0; i < k; ++i) result[i * k + i] = std::max(result[i * k + i], 0.0f) + ridge;
  return result;
}

std::vector<double> RoundingLoss(const RoundingProblem& problem, absl::Span<const float> scales,
                                 absl::Span<const int8_t> levels) {
  std::vector<double> losses(static_cast<size_t>(problem.channels()));
  ForEachTile(problem, [&](size_t begin, size_t end) {
    Tile tile(problem, begin, end);
    tile.Multiply([&](size_t c, size_t i) {
      return scales[begin + c] * static_cast<float>(levels[(begin + c) * tile.k() + i]) - tile.weights(c)[i];
    });
    for (size_t c = 0; c < tile.count(); ++c) losses[begin + c] = tile.Form(c);
  });
  return losses;
}

void RoundToNearest(const RoundingProblem& problem, absl::Span<const float> scales, absl::Span<int8_t> levels) {
  const auto k = static_cast<size_t>(problem.k);
  for (size_t c = 0; c < scales.size(); ++c) {
    for (size_t i = c * k; i < (c + 1) * k; ++i) {
      levels[i] = Round(problem.weights[i] / scales[c], problem.level_max());
    }
  }
}

void SearchScales(const RoundingProblem& problem, absl::Span<const float> factors, absl::Span<float> scales) {
  ForEachTile(problem, [&](size_t begin, size_t end) {
    Tile tile(problem, begin, end);
    std::vector<double> best(tile.count());
    std::vector<float> chosen(tile.count(), 1.0f);
    const auto losses_at = [&](float factor) {
      tile.Multiply([&](size_t c, size_t i) {
        const float scale = factor * scales[begin + c], weight = tile.weights(c)[i];
        return scale * static_cast<float>(Round(weight / scale, problem.level_max())) - weight;
      });
    };
    losses_at(1.0f);
    for (size_t c = 0; c < tile.count(); ++c) best[c] = tile.Form(c);
    for (float factor : factors) {
      losses_at(factor);
      for (size_t c = 0; c < tile.count(); ++c) {
        const double loss = tile.Form(c);
        if (loss >= best[c]) continue;
        best[c] = loss;
        chosen[c] = factor;
      }
    }
    for (size_t c = 0; c < tile.count(); ++c) scales[begin + c] *= chosen[c];
  });
}

void RefitScales(const RoundingProblem& problem, absl::Span<const int8_t> levels, absl::Span<float> scales) {
  ForEachTile(problem, [&](size_t begin, size_t end) {
    Tile tile(problem, begin, end);
    const auto level = [&](size_t c, size_t i) { return static_cast<float>(levels[(begin + c) * tile.k() + i]); };
    tile.Multiply(level);
    for (size_t c = 0; c < tile.count(); ++c) {
      const double own = tile.Form(c);
      double cross = 0;
      for (size_t i = 0; i < tile.k(); ++i) cross += static_cast<double>(tile.weights(c)[i]) * tile.product(c)[i];
      const auto scale = static_cast<float>(cross / own);
      if (own > 0 && std::isnormal(scale) && scale > 0) scales[begin + c] = scale;
    }
  });
}

void DescendCoordinates(const RoundingProblem& problem, absl::Span<const float> scales, int sweeps,
                        absl::Span<int8_t> levels) {
  const std::vector<size_t> order = ByDecreasingDiagonal(problem);
  ForEachTile(problem, [&](size_t begin, size_t end) {
    Tile tile(problem, begin, end);
    const size_t k = tile.k();
    const absl::Span<int8_t> own = levels.subspan(begin * k, tile.count() * k);
    const std::vector<int8_t> before(own.begin(), own.end());
    const auto error = [&](size_t c, size_t i) {
      return scales[begin + c] * static_cast<float>(own[c * k + i]) - tile.weights(c)[i];
    };
    tile.Multiply(error);
    std::vector<double> start;
    for (size_t c = 0; c < tile.count(); ++c) start.push_back(tile.Form(c));
    bool moved = false;
    for (int sweep = 0; sweep < sweeps; ++sweep) {
      if (!Sweep(problem, order, scales.subspan(begin, tile.count()), own, tile)) break;
      moved = true;
    }
    if (!moved) return;
    // The running product drifts by rounding errors of its own; a step of no gain may then look like one.
    tile.Multiply(error);
    for (size_t c = 0; c < tile.count(); ++c) {
      if (tile.Form(c) > start[c]) std::copy_n(before.data() + c * k, k, own.data() + c * k);
    }
  });
}

absl::Status RoundGptq(const RoundingProblem& problem, absl::Span<const float> scales, absl::Span<int8_t> levels) {
  // As H = R D R^T, the loss is |E R|^2 weighted by D, and column j of E R holds no later error than E_j: rounding
  // w_j - (E R)_j leaves each column as small as it can be. This is GPTQ without its inverse (arXiv 2307.13304, 4.1).
  const std::vector<size_t> order = ByDecreasingDiagonal(problem);
  LATHE_ASSIGN_OR_RETURN(const std::vector<float> factor, FactorUpper(problem.second, order));
  const size_t k = order.size();
  ParallelFor(scales.size(), [&](size_t c) {
    const absl::Span<const float> weights = problem.weights.subspan(c * k, k);
    std::vector<float> fed_back(k, 0.0f);  // (E R)_j without E_j
    for (size_t j = 0; j < k; ++j) {
      const float weight = weights[order[j]];
      const int8_t level = Round((weight - fed_back[j]) / scales[c], problem.level_max());
      levels[c * k + order[j]] = level;
      const float error = scales[c] * static_cast<float>(level) - weight;
      AddScaled(error, absl::MakeConstSpan(factor).subspan(j * k + j + 1, k - j - 1),
                absl::MakeSpan(fed_back).subspan(j + 1));
    }
  });
  return absl::OkStatus();
}

namespace {

// The variables of AdaRound for one tile of channels.
class SoftRounding {
 public:
  SoftRounding(const RoundingProblem& problem, absl::Span<const float> scales, absl::Span<int8_t> levels, Tile& tile)
      : problem_(problem), scales_(scales), levels_(levels), tile_(tile) {
    const size_t size = levels.size();
    lower_.resize(size);
    variable_.resize(size);
    momentum_.resize(size);
    squares_.resize(size);
    for (size_t i = 0; i < size; ++i) {
      const float wanted = problem.weights[offset(i)] / scales[i / tile.k()];
      const bool is_upper = static_cast<float>(levels[i]) >= wanted;
      lower_[i] = static_cast<float>(levels[i]) - (is_upper ? 1.0f : 0.0f);
      // h(+-1.5) is 0.88 and 0.12: near the level it has, but not where the gradient is lost.
      variable_[i] = is_upper ? 1.5f : -1.5f;
    }
  }

  // One step of Adam at annealing exponent `beta` (0: no regularization).
  void Step(const AdaRoundOptions& options, int step, float beta) {
    const auto limit = static_cast<float>(problem_.level_max());
    tile_.Multiply([&](size_t c, size_t i) {
      const size_t at = c * tile_.k() + i;
      return scales_[c] * std::clamp(lower_[at] + Soft(variable_[at]), -limit, limit) - problem_.weights[offset(at)];
    });
    // In units of the loss that it started with, so that one weight of the regularization suits every layer.
    if (step == 1) {
      for (size_t c = 0; c < tile_.count(); ++c)
        unit_.push_back(static_cast<float>(1 / std::max(tile_.Form(c), 1e-30)));
    }
    const float correction =
        std::sqrt(1 - std::pow(0.999f, static_cast<float>(step))) / (1 - std::pow(0.9f, static_cast<float>(step)));
    for (size_t c = 0; c < tile_.count(); ++c) {
      const absl::Span<const float> product = tile_.product(c);
      for (size_t i = 0; i < tile_.k(); ++i) {
        const size_t at = c * tile_.k() + i;
        const float h = Soft(variable_[at]), slope = Slope(variable_[at]);
        float gradient = 2 * scales_[c] * product[i] * slope * unit_[c];
        if (beta > 0) gradient -= options.regularization * Pull(h, beta) * slope;
        momentum_[at] = 0.9f * momentum_[at] + 0.1f * gradient;
        squares_[at] = 0.999f * squares_[at] + 0.001f * gradient * gradient;
        variable_[at] -= options.learning_rate * correction * momentum_[at] / (std::sqrt(squares_[at]) + 1e-12f);
      }
    }
  }

  void Harden() {
    for (size_t i = 0; i < levels_.size(); ++i) {
      levels_[i] = Round(lower_[i] + (variable_[i] >= 0 ? 1.0f : 0.0f), problem_.level_max());
    }
  }

 private:
  size_t offset(size_t i) const { return static_cast<size_t>(tile_.weights(0) - problem_.weights.data()) + i; }
  // The rectified sigmoid of the paper and its slope.
  static float Soft(float v) { return std::clamp(1.2f / (1 + std::exp(-v)) - 0.1f, 0.0f, 1.0f); }
  static float Slope(float v) {
    const float sigmoid = 1 / (1 + std::exp(-v));
    // Not 0 where h is clipped: Adam could never bring such a variable back.
    return std::max(1.2f * sigmoid * (1 - sigmoid), 0.01f);
  }
  // d/dh of |2 h - 1|^beta: away from one half.
  static float Pull(float h, float beta) {
    const float from_middle = 2 * h - 1;
    return std::copysign(2 * beta * std::pow(std::fabs(from_middle), beta - 1), from_middle);
  }

  const RoundingProblem& problem_;
  absl::Span<const float> scales_;
  absl::Span<int8_t> levels_;
  Tile& tile_;
  std::vector<float> lower_, variable_, momentum_, squares_, unit_;
};

}  // namespace

void RoundAdaptively(const RoundingProblem& problem, absl::Span<const float> scales, const AdaRoundOptions& options,
                     absl::Span<int8_t> levels) {
  const std::vector<int8_t> before(levels.begin(), levels.end());
  const int warm_up = options.iterations / 5;
  ForEachTile(problem, [&](size_t begin, size_t end) {
    Tile tile(problem, begin, end);
    SoftRounding soft(problem, scales.subspan(begin, tile.count()),
                      levels.subspan(begin * tile.k(), tile.count() * tile.k()), tile);
    for (int step = 1; step <= options.iterations; ++step) {
      // The exponent falls from 20 to 2 after a warm-up without regularization.
      const float progress =
          static_cast<float>(step - warm_up) / static_cast<float>(std::max(options.iterations - warm_up, 1));
      soft.Step(options, step, progress > 0 ? 20 - 18 * progress : 0);
    }
    soft.Harden();
  });
  KeepBetter(problem, scales, before, levels);
}

absl::StatusOr<std::vector<float>> RefitWeights(absl::Span<const float> weights, int64_t k,
                                                absl::Span<const float> cross, absl::Span<const float> second,
                                                double damping) {
  const auto size = static_cast<size_t>(k);
  double trace = 0;
  for (size_t i = 0; i < size; ++i) trace += second[i * size + i];
  const auto ridge = static_cast<float>(damping * trace / static_cast<double>(k));
  std::vector<float> dampened(second.begin(), second.end()), target(cross.begin(), cross.end());
  for (size_t i = 0; i < size; ++i) {
    dampened[i * size + i] += ridge;
    target[i * size + i] += ridge;
  }
  const auto channels = static_cast<int64_t>(weights.size()) / k;
  std::vector<float> transposed(weights.size()), right(weights.size(), 0.0f);
  for (size_t i = 0; i < weights.size(); ++i) transposed[(i % size) * (weights.size() / size) + i / size] = weights[i];
  AddTransposedProduct(transposed, channels, PackedMatrix(target, k, k), Part::kAll, absl::MakeSpan(right));
  return SolveRight(dampened, right, size);
}

}  // namespace lathe::math
