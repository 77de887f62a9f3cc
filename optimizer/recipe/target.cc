#include "optimizer/recipe/target.h"

namespace lathe {

std::string_view TargetName(Target target) {
  switch (target) {
    case Target::kCpu:
      return "cpu";
    case Target::kGpu:
      return "gpu";
    case Target::kEdgeTpu:
      return "edge-tpu";
    case Target::kMicrocontroller:
      return "microcontroller";
  }
  return "";
}

std::optional<Target> FindTarget(std::string_view name) {
  for (Target target : kTargets) {
    if (TargetName(target) == name) return target;
  }
  return std::nullopt;
}

}  // namespace lathe
