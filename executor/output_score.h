#ifndef LATHE_EXECUTOR_OUTPUT_SCORE_H_
#define LATHE_EXECUTOR_OUTPUT_SCORE_H_

#include <vector>

#include "optimizer/model/model.h"
#include "optimizer/report/report.h"

namespace lathe {

// Noise over signal, means removed, of the output where that is largest; outputs without a signal do not count. 0: no
// error.
double WorstNoise(const std::vector<OutputError>& errors);

// 10 * log10(1 / noise), at most 200.
double NoiseDb(double noise);

// How good a quantized model is over all its outputs. Means are not removed here: what is left of an output that hardly
// varies is too noisy on few samples to choose by. For the same reason an output that gives few values, a single number
// for each sample, counts less than one that gives many.
struct OutputScore {
  double mean_db = 0;   // weighted mean of the outputs' SQNR, so of the noises' orders of magnitude
  double least_db = 0;  // of the worst output that gives enough values
};
OutputScore ScoreOutputs(const std::vector<OutputError>& errors);

// Better on average, and the worst output loses no more than the average gains.
bool IsBetter(const OutputScore& candidate, const OutputScore& than);

// Whether no output is further off, in root mean square, than twice what rounding its true values to the integers of
// the file leaves: scale / sqrt(12) (Widrow and Kollar, Quantization Noise, 2008, section 1.3). Corrections have little
// left to win there. False when an output is not made of integers. REQUIRES: `errors` are those of the model's outputs.
bool IsNearItsRounding(const Model& quantized, const std::vector<OutputError>& errors);

}  // namespace lathe

#endif  // LATHE_EXECUTOR_OUTPUT_SCORE_H_
