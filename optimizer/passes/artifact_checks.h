#ifndef LATHE_OPTIMIZER_PASSES_ARTIFACT_CHECKS_H_
#define LATHE_OPTIMIZER_PASSES_ARTIFACT_CHECKS_H_

#include <string>
#include <vector>

#include "common/status.h"
#include "optimizer/model/model.h"

namespace lathe {

// A place where a model breaks a rule that the runtime does not check, or checks by crashing.
struct Defect {
  // scale, zero-point, symmetric, bias-scale, bias-saturated, same-scale, fixed-scale, no-bias, depthwise-hybrid,
  // no-kernel, bias-type, float16, version, shared-buffer, signature, multiplier.
  std::string rule;
  std::string place;  // "subgraph 0, operator 12 CONV_2D"
  std::string text;   // what is wrong there, with the numbers
  // The place by names instead of numbers, so that defects of two models can be told to be the same.
  std::string name;
};

// Everything in the model that breaks a rule of the checklist (quantization specification, section 11, as far as it can
// be seen in the model; what concerns the file is the writer's and the reader's): parameters of integer tensors, scales
// of biases, scales that an operator's tensors must share or that are fixed, forms whose kernel is missing or wrong,
// types that share a buffer, versions above the runtime's, and multipliers above what the kernels' shifts express. In
// the order of the model. uint8 models follow older rules, of which only those on scales and zero points are checked.
// REQUIRES: VerifyModel(model) is OK.
std::vector<Defect> FindDefects(const Model& model);

// The last look at a model before it is handed out: OK when every defect of `output` was in `input` already, where each
// becomes a warning that names it. INTERNAL ARTIFACT_BROKEN otherwise, with the rule and the place of the first.
// REQUIRES: both verify.
absl::Status CheckArtifact(const Model& input, const Model& output, std::vector<std::string>& warnings);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_ARTIFACT_CHECKS_H_
