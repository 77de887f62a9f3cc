#ifndef LATHE_OPTIMIZER_MODEL_MODEL_VERIFIER_H_
#define LATHE_OPTIMIZER_MODEL_MODEL_VERIFIER_H_

#include <cstdint>

#include "absl/status/status.h"
#include "optimizer/model/model.h"

namespace lathe {

// No runtime we know can hold a tensor of 2^40 elements; a file that declares one is hostile or broken. Products below
// this bound cannot overflow int64 in any size computed from them.
inline constexpr int64_t kTensorElementsMax = int64_t{1} << 40;
// All activations of one model together, as if none shared memory. A 64 GiB bound refuses what no device of today runs
// and keeps a declared size from steering a runtime's allocation into the whole machine.
inline constexpr int64_t kActivationBytesMax = int64_t{64} << 30;

// Checks everything that later code relies on: ids in range, operators and types known, operands enough for the kinds
// that passes index, each tensor written at most once and before it is read, no recursion between subgraphs, shapes
// that do not overflow, constants with the bytes their type and shape ask for, sparse data inside its bounds,
// quantization parameters that fit. Linear in the model's graph; constants' bytes are not read, sparse indices are.
//
// InvalidArgument, reason MODEL_CORRUPT: the first violation; the message names the place.
absl::Status VerifyModel(const Model& model);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_MODEL_MODEL_VERIFIER_H_
