#ifndef LATHE_OPTIMIZER_PASSES_VERSIONS_H_
#define LATHE_OPTIMIZER_PASSES_VERSIONS_H_

#include <cstdint>

#include "optimizer/model/model.h"

namespace lathe {

// The smallest operator version that says what the operator is, for the forms that passes write: int8 activations and
// weights, hybrid int8 weights, QUANTIZE, DEQUANTIZE. Older runtimes, microcontrollers and the Edge TPU compiler refuse
// versions they do not know, and XNNPACK reads FULLY_CONNECTED 8 as sparse, so no more than needed is written
// (quantization specification, operator versions; LiteRT op_version.cc). Kinds and forms not covered keep op.version.
int32_t MinimalVersion(const Subgraph& subgraph, const Op& op);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_VERSIONS_H_
