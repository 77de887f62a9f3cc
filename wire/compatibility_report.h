#ifndef LATHE_WIRE_COMPATIBILITY_REPORT_H_
#define LATHE_WIRE_COMPATIBILITY_REPORT_H_

#include <optional>
#include <string_view>

#include "lathe/v1/compatibility.pb.h"
#include "lathe/v1/recipe.pb.h"
#include "lathe/v1/report.pb.h"
#include "optimizer/recipe/target.h"
#include "optimizer/report/compatibility_report.h"

namespace lathe {

// For report.json: without operators, description and sources.
v1::Compatibility CompatibilityToProto(const CompatibilityReport& report);
// For inspect; the operator table only with `rows`.
v1::TargetCompatibility TargetToProto(const CompatibilityReport& report, bool rows);

// Nullopt: unspecified, or a number that this version does not know.
std::optional<Target> TargetFromProto(v1::Recipe::Target target);
v1::Recipe::Target TargetToProto(Target target);
// Of a name as flags have it; unspecified for "" and names that no target has.
v1::Recipe::Target TargetByName(std::string_view name);

}  // namespace lathe

#endif  // LATHE_WIRE_COMPATIBILITY_REPORT_H_
