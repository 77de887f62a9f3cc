#ifndef LATHE_OPTIMIZER_MODEL_DUMP_H_
#define LATHE_OPTIMIZER_MODEL_DUMP_H_

#include <string>

#include "optimizer/model/model.h"

namespace lathe {

// The whole model as stable text, one operator or tensor a line; constants by size and digest. Equal dumps mean models
// that a runtime and Lathe cannot tell apart: names, types, shapes, quantization, options, constants, signatures and
// metadata are all in it, and which constants share their bytes. Buffer numbers are not, so dropping unused buffers
// does not show.
std::string DumpModel(const Model& model);

// Whether two models that number their buffers alike have equal dumps. Compares bytes where a dump has digests, which
// takes a tenth of the time.
bool IsSameModel(const Model& a, const Model& b);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_MODEL_DUMP_H_
