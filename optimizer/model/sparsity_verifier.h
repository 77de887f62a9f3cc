#ifndef LATHE_OPTIMIZER_MODEL_SPARSITY_VERIFIER_H_
#define LATHE_OPTIMIZER_MODEL_SPARSITY_VERIFIER_H_

#include <cstdint>

#include "absl/status/status.h"
#include "optimizer/model/model.h"

namespace lathe {

// Checks that the sparse layout of a constant describes exactly its shape and its stored values, so that unpacking it
// reads and writes inside its bounds and makes no more elements than the shape says. Linear in the indices.
//
// InvalidArgument, reason MODEL_CORRUPT: the first violation; the caller puts the tensor's name in front.
// REQUIRES: tensor.sparsity != nullptr; the shape's product is checked.
absl::Status VerifySparsity(const Tensor& tensor, uint64_t stored_bytes);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_MODEL_SPARSITY_VERIFIER_H_
