#ifndef LATHE_OPTIMIZER_COMPATIBILITY_MAC_COUNT_H_
#define LATHE_OPTIMIZER_COMPATIBILITY_MAC_COUNT_H_

#include <cstdint>

#include "optimizer/model/model.h"

namespace lathe {

// Multiply-adds of one run of `op`, from the shapes in the file (a dynamic dimension counts as the file has it, which
// is 1): products that are summed in convolutions, FULLY_CONNECTED, BATCH_MATMUL and the recurrent kinds, which are
// what costs. 0 for every other kind, and where operands are missing or ranks are not what the kind asks for. Never
// overflows: sizes that do saturate.
//   CONV_2D, CONV_3D: output elements x filter elements / filters    DEPTHWISE_CONV_2D: output elements x window
//   TRANSPOSE_CONV: input elements x window x filters                FULLY_CONNECTED: rows x weights
//   BATCH_MATMUL: output elements x length of the summed axis        recurrent: steps x elements of the weight matrices
uint64_t CountMacs(const Model& model, const Subgraph& subgraph, const Op& op);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_COMPATIBILITY_MAC_COUNT_H_
