#include "executor/target_check.h"

#include <algorithm>

#include "absl/strings/str_join.h"
#include "optimizer/compatibility/compatibility.h"
#include "optimizer/compatibility/operator_view.h"

namespace lathe {
namespace {

constexpr size_t kReasonsMax = 5;  // in one message

std::string FirstReasons(const CompatibilityReport& target) {
  const size_t count = std::min(target.reasons.size(), kReasonsMax);
  std::string text =
      absl::StrJoin(target.reasons.begin(), target.reasons.begin() + static_cast<std::ptrdiff_t>(count), "; ");
  if (count < target.reasons.size()) absl::StrAppendFormat(&text, "; and %d more", target.reasons.size() - count);
  return text;
}

absl::Status Refusal(const CompatibilityReport& target, const std::string& why) {
  return MakeError(absl::StatusCode::kFailedPrecondition, "TARGET_REFUSES",
                   absl::StrFormat("the result does not run on target %s: %s; `lathe inspect --target %s` lists the "
                                   "operators of a file",
                                   target.target, why, target.target));
}

// What makes edgetpu_compiler turn the whole file away; "" for nothing.
std::string WhyNotCompiled(const Model& output, const CompatibilityReport& target) {
  for (const Subgraph& graph : output.subgraphs) {
    for (const Op& op : graph.ops) {
      if (std::string why = WhyDynamic({output, graph, op}); !why.empty()) return why;
    }
  }
  return target.accepted_operators > 0 ? "" : FirstReasons(target);
}

}  // namespace

absl::Status CheckAgainstTargets(const Recipe& recipe, const Model& output, Report& report) {
  for (Target target : kTargets) {
    const CompatibilityReport& found = report.compatibility.emplace_back(CheckTarget(output, target));
    if (recipe.target != target || target == Target::kCpu) continue;
    if (target == Target::kMicrocontroller && !found.compatible) return Refusal(found, FirstReasons(found));
    if (target == Target::kEdgeTpu) {
      if (const std::string why = WhyNotCompiled(output, found); !why.empty()) return Refusal(found, why);
    }
    if (found.accepted_operators == found.operators) continue;
    report.warnings.push_back(absl::StrFormat("target %s takes %d of %d operators and %.1f %% of the multiply-adds: %s",
                                              found.target, found.accepted_operators, found.operators,
                                              100 * found.mac_share, FirstReasons(found)));
  }
  return absl::OkStatus();
}

}  // namespace lathe
