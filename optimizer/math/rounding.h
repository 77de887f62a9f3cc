#ifndef LATHE_OPTIMIZER_MATH_ROUNDING_H_
#define LATHE_OPTIMIZER_MATH_ROUNDING_H_

// Rounding weights to integers so that the outputs change least, not the weights. With E = W' - W, W' = scale * levels,
// and H = E[x x^T] over the inputs x of a layer, the mean squared error of output channel c is E_c H E_c^T; channels do
// not depend on each other. Everything below lowers that loss, each channel on its own (in parallel, same bits for any
// number of threads).

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "common/status.h"
#include "optimizer/math/products.h"

namespace lathe::math {

// The rows of one weight matrix that share one H. `second` is symmetric and positive semidefinite, [k, k].
struct RoundingProblem {
  RoundingProblem(absl::Span<const float> all_weights, int64_t row_size, absl::Span<const float> all_second,
                  int bit_count)
      : weights(all_weights),
        second(all_second),
        packed(all_second, row_size, row_size),
        k(row_size),
        bits(bit_count) {}

  absl::Span<const float> weights;  // [channels, k]
  absl::Span<const float> second;
  PackedMatrix packed;  // of `second`
  int64_t k;
  int bits;  // levels lie in [-level_max, level_max]

  int64_t channels() const { return static_cast<int64_t>(weights.size()) / k; }
  int32_t level_max() const { return (1 << (bits - 1)) - 1; }
};

// H made fit for rounding: the covariance (H - mean mean^T) when the bias takes up the mean error, else H; plus
// `damping` times the mean of the diagonal on the diagonal, against too few samples. `mean` is [k].
std::vector<float> ConditionMoments(absl::Span<const float> second, absl::Span<const float> mean, bool bias_corrected,
                                    double damping);

// E_c H E_c^T of each channel. REQUIRES of all below: scales.size() == channels(), positive;
// levels.size() == weights.size().
std::vector<double> RoundingLoss(const RoundingProblem& problem, absl::Span<const float> scales,
                                 absl::Span<const int8_t> levels);

// levels = clamp(round_half_even(w / scale)).
void RoundToNearest(const RoundingProblem& problem, absl::Span<const float> scales, absl::Span<int8_t> levels);

// Multiplies each channel's scale by the one of `factors` (or 1) with the least loss after rounding to the nearest.
void SearchScales(const RoundingProblem& problem, absl::Span<const float> factors, absl::Span<float> scales);

// The scale with the least loss for given levels, (W H Q^T) / (Q H Q^T), where it is positive and better.
void RefitScales(const RoundingProblem& problem, absl::Span<const int8_t> levels, absl::Span<float> scales);

// Coordinate descent: in order of decreasing H[k, k], each level moves to the minimum of the loss along its coordinate,
// for at most `sweeps` rounds or until none moves. The loss of no channel is larger than at the start.
void DescendCoordinates(const RoundingProblem& problem, absl::Span<const float> scales, int sweeps,
                        absl::Span<int8_t> levels);

// GPTQ (arXiv 2210.17323): columns in order of decreasing H[k, k] are rounded to the nearest, and what each rounding
// errs is spread over the columns after it by the Cholesky factor of the inverse of H, in double precision.
// FailedPrecondition: H is not positive definite; dampen it.
absl::Status RoundGptq(const RoundingProblem& problem, absl::Span<const float> scales, absl::Span<int8_t> levels);

struct AdaRoundOptions {
  int iterations = 1000;
  float learning_rate = 0.1f;
  float regularization = 0.1f;  // of all variables of a channel, in units of the loss that it starts with
};
// AdaRound (arXiv 2004.10568): every weight goes up or down from floor(w / scale) by a continuous variable that Adam
// drives to 0 or 1; the gradient of the loss is 2 E H. Starts from `levels`; a channel whose loss would grow keeps
// them.
void RoundAdaptively(const RoundingProblem& problem, absl::Span<const float> scales, const AdaRoundOptions& options,
                     absl::Span<int8_t> levels);

// Weights that, applied to the inputs y that the layer really gets, come closest to W x on the inputs x that it should
// get: W (C + damping I) (H + damping I)^-1 with C = E[x y^T], H = E[y y^T], both [k, k], and damping in units of the
// mean of H's diagonal. FailedPrecondition: H is not positive definite.
absl::StatusOr<std::vector<float>> RefitWeights(absl::Span<const float> weights, int64_t k,
                                                absl::Span<const float> cross, absl::Span<const float> second,
                                                double damping);

}  // namespace lathe::math

#endif  // LATHE_OPTIMIZER_MATH_ROUNDING_H_
