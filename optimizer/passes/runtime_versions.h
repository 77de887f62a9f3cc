#ifndef LATHE_OPTIMIZER_PASSES_RUNTIME_VERSIONS_H_
#define LATHE_OPTIMIZER_PASSES_RUNTIME_VERSIONS_H_

#include <cstdint>

#include "optimizer/model/op_kind.h"

namespace lathe {

// The highest version of an operator that the runtime (LiteRT 2.3.0) has a kernel for; it refuses a file with a higher
// one. Found by loading one-operator models of every kind and version.
int32_t RuntimeVersionMax(OpKind kind);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_RUNTIME_VERSIONS_H_
