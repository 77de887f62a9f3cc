#ifndef LATHE_RUNTIME_COLLECT_MOMENTS_H_
#define LATHE_RUNTIME_COLLECT_MOMENTS_H_

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "common/cancel.h"
#include "common/file.h"
#include "common/status.h"
#include "optimizer/model/model.h"
#include "optimizer/passes/input_moments.h"
#include "runtime/samples.h"

namespace lathe {

struct CollectMomentsOptions {
  int threads = 1;
  // What interpreter, exposed tensors and moments may take together, estimated. Decides in how many passes over the
  // samples operators are looked at; never the result.
  uint64_t memory_bytes = uint64_t{4} << 30;
  CancelToken cancel;
  // Called after each sample: samples done and to do, over all passes.
  std::function<void(uint64_t done, uint64_t total)> progress;
  // As ObserveOptions::input.
  const MappedFile* input = nullptr;
  // Where copies of the models with more outputs are written for the time of the call, if they are.
  std::string scratch_dir;

  // The model whose inputs the samples fit; null: the one that is run. Its floats are quantized for one that takes
  // integers.
  const Model* samples_for = nullptr;
  uint64_t samples_max = 256;  // of more, as many evenly spaced ones are run
  // Patches of an operator over all samples; each gives the same number, drawn by the seed.
  int64_t rows_max = 8192;
  uint64_t seed = 0;
  // Operators with more weights a channel get means only: at 4,096 the second moments are 64 MiB.
  int64_t second_k_max = 4096;
  bool means_only = false;  // no operator gets second moments
};

// Operators whose moments can be collected, in order: CONV_2D (not grouped), DEPTHWISE_CONV_2D and FULLY_CONNECTED of
// subgraph 0 whose weights are constant, whose data are not, and whose shapes fit.
std::vector<OpId> FindMomentOperators(const Model& model);

// Runs the model (float, or quantized: integer data are dequantized) on the samples and returns the moments of the data
// operands of `ops`; those that FindMomentOperators would not return are left out. Same bits for any number of threads
// and memory budget. INVALID_ARGUMENT: DATA_INVALID as SampleSource; NO_SAMPLES; MODELS_DIFFER: samples_for has other
// inputs; ACTIVATION_NOT_FINITE, naming the operator. CANCELLED. FAILED_PRECONDITION as Interpreter.
absl::StatusOr<MomentTable> CollectMoments(const Model& model, const std::vector<OpId>& ops, SampleSource& samples,
                                           const CollectMomentsOptions& options);

// The same, handing over a part of the table after each pass, so that memory holds one part at a time. Ends with the
// first error of `take`.
absl::Status CollectMomentsInParts(const Model& model, const std::vector<OpId>& ops, SampleSource& samples,
                                   const CollectMomentsOptions& options,
                                   const std::function<absl::Status(MomentTable part)>& take);

// Moments of operators of `quantized` (the second of each pair) jointly with their counterparts of `reference` (the
// first), by the operator of `reference`: both are run on the same samples and the same patches are taken. Errors as
// above. REQUIRES: the pairs have weights of equal shapes.
absl::StatusOr<JointMomentTable> CollectJointMoments(const Model& reference, const Model& quantized,
                                                     const std::vector<std::pair<OpId, OpId>>& ops,
                                                     SampleSource& samples, const CollectMomentsOptions& options);

}  // namespace lathe

#endif  // LATHE_RUNTIME_COLLECT_MOMENTS_H_
