#ifndef LATHE_OPTIMIZER_RECIPE_TARGET_H_
#define LATHE_OPTIMIZER_RECIPE_TARGET_H_

#include <optional>
#include <string_view>

namespace lathe {

// What a model is to run on.
enum class Target {
  kCpu,              // XNNPACK where it takes the operator, the runtime's own kernels elsewhere
  kGpu,              // the GPU delegate
  kEdgeTpu,          // Coral: integers only, compiled by edgetpu_compiler
  kMicrocontroller,  // TensorFlow Lite Micro
};

inline constexpr Target kTargets[] = {Target::kCpu, Target::kGpu, Target::kEdgeTpu, Target::kMicrocontroller};

// cpu, gpu, edge-tpu, microcontroller: as flags, recipes and reports name them.
std::string_view TargetName(Target target);
// Nullopt: no target has that name.
std::optional<Target> FindTarget(std::string_view name);

// The target runs nothing but integers in practice: a recipe for it leaves no operator in float.
constexpr bool NeedsIntegers(Target target) { return target == Target::kEdgeTpu || target == Target::kMicrocontroller; }

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_RECIPE_TARGET_H_
