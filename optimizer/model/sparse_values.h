#ifndef LATHE_OPTIMIZER_MODEL_SPARSE_VALUES_H_
#define LATHE_OPTIMIZER_MODEL_SPARSE_VALUES_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "optimizer/model/model.h"

namespace lathe {

// False for layouts that are valid and that nobody writes: a dimension split into blocks twice, elements of less than a
// byte.
bool IsDensifiable(const Tensor& tensor);

// The dense bytes of a sparse constant, as DENSIFY makes them: stored values at their places, zeros elsewhere. `stored`
// holds the values in traversal order. REQUIRES: tensor.sparsity != nullptr, VerifySparsity has passed for `stored`,
// IsDensifiable(tensor).
std::vector<uint8_t> Densify(const Tensor& tensor, absl::Span<const uint8_t> stored);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_MODEL_SPARSE_VALUES_H_
