#ifndef LATHE_RUNTIME_MEMORY_PLAN_H_
#define LATHE_RUNTIME_MEMORY_PLAN_H_

#include <cstdint>
#include <vector>

#include "optimizer/model/model.h"

namespace lathe {

// Estimates of what interpreters need, from the graph alone. Held against a measurement once (mobilenet_v2 with all
// tensors exposed: 43 MB estimated and measured), so whoever has a hard limit leaves room above them.

// Bytes of all constants once: the runtime packs weights into a copy of its own.
uint64_t EstimateWeightBytes(const Model& model);

// The most that activations of subgraph 0 take at one time when memory is reused as soon as the last reader has run.
uint64_t EstimateActivationPeakBytes(const Model& model);

// One activation; dynamic dimensions are 1.
uint64_t ActivationBytes(const Tensor& tensor);

// Weights, peak, and a constant for the runtime's own structures.
uint64_t EstimateInterpreterBytes(const Model& model);

// How work over many samples is spread: `interpreters` at once, each with `threads` threads.
struct Spread {
  int interpreters = 1;
  int threads = 1;
};

// What several interpreters may take together when one would do: a large model runs about as fast on one interpreter
// with all threads, in half the memory (InceptionV3 and ResNet101V2 with all tensors exposed, two threads: 204 and 365
// MB). mobilenet_v2, which is slower that way, fits twice (100 MB).
inline constexpr uint64_t kSpreadBytesMax = uint64_t{112} << 20;

// As many one-thread interpreters as there are threads; fewer, with more threads each, when `bytes_each` of them do not
// fit `memory_bytes`; at least one. No more than samples. REQUIRES: threads >= 1.
Spread PlanSpread(int threads, uint64_t bytes_each, uint64_t memory_bytes, uint64_t samples);

// Splits `tensors` in order into groups whose activations sum to at most `bytes_max` (a larger tensor is alone).
std::vector<std::vector<TensorId>> GroupByBytes(const Model& model, const std::vector<TensorId>& tensors,
                                                uint64_t bytes_max);

}  // namespace lathe

#endif  // LATHE_RUNTIME_MEMORY_PLAN_H_
