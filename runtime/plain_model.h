#ifndef LATHE_RUNTIME_PLAIN_MODEL_H_
#define LATHE_RUNTIME_PLAIN_MODEL_H_

#include <cstddef>
#include <vector>

#include "optimizer/model/model.h"

namespace lathe {

// libLiteRt.so 2.3.0 runs signature 0 and finds tensors by name. Found by trying: with two outputs of one name, or an
// output that the signature leaves out, it throws; a tensor listed twice as output is filled once; an input that is an
// output too fails the run; and signature 0 may be of another subgraph. Models like that are legal and exist, so they
// are run through a copy that has none of it.

// Where the value of one subgraph output comes from.
struct OutputSource {
  enum class Kind { kRuntimeOutput, kModelInput, kConstant };
  Kind kind = Kind::kRuntimeOutput;
  size_t index = 0;  // of the runtime's output or of the subgraph's input; unused for a constant
};

// True when subgraph 0 can be run from the file as it is: output i of the runtime is output i of the subgraph.
bool IsPlain(const Model& model);

// The same computation without signatures, under names that are unique; outputs are distinct tensors that operators
// write. `sources` gets one entry for each output of `model`. Tensor ids stay the same.
Model MakePlain(const Model& model, std::vector<OutputSource>* sources);

// Names every tensor of subgraph 0 "t" and its id, and drops the signatures, which would hide further outputs.
void DropNames(Model& model);

}  // namespace lathe

#endif  // LATHE_RUNTIME_PLAIN_MODEL_H_
