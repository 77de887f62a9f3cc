#include "wire/compatibility_report.h"

namespace lathe {
namespace {

// What both messages have.
template <typename Proto>
void FillFigures(const CompatibilityReport& from, Proto* to) {
  to->set_target(from.target);
  to->set_compatible(from.compatible);
  to->mutable_reasons()->Assign(from.reasons.begin(), from.reasons.end());
  to->set_operators(static_cast<uint64_t>(from.operators));
  to->set_accepted_operators(static_cast<uint64_t>(from.accepted_operators));
  to->set_operator_share(from.operator_share);
  to->set_macs(from.macs);
  to->set_accepted_macs(from.accepted_macs);
  to->set_mac_share(from.mac_share);
}

}  // namespace

v1::Compatibility CompatibilityToProto(const CompatibilityReport& report) {
  v1::Compatibility proto;
  FillFigures(report, &proto);
  return proto;
}

v1::TargetCompatibility TargetToProto(const CompatibilityReport& report, bool rows) {
  v1::TargetCompatibility proto;
  FillFigures(report, &proto);
  proto.set_description(report.description);
  proto.mutable_sources()->Assign(report.sources.begin(), report.sources.end());
  if (!rows) return proto;
  for (const OperatorCompatibility& from : report.rows) {
    v1::OperatorCompatibility& row = *proto.add_operator_table();
    row.set_subgraph(static_cast<uint32_t>(from.subgraph));
    row.set_index(static_cast<uint32_t>(from.index));
    row.set_kind(from.kind);
    row.set_name(from.name);
    row.set_accepted(from.accepted);
    row.set_reason(from.reason);
    row.set_macs(from.macs);
  }
  return proto;
}

std::optional<Target> TargetFromProto(v1::Recipe::Target target) {
  switch (target) {
    case v1::Recipe::CPU:
      return Target::kCpu;
    case v1::Recipe::GPU:
      return Target::kGpu;
    case v1::Recipe::EDGE_TPU:
      return Target::kEdgeTpu;
    case v1::Recipe::MICROCONTROLLER:
      return Target::kMicrocontroller;
    default:
      return std::nullopt;
  }
}

v1::Recipe::Target TargetToProto(Target target) {
  switch (target) {
    case Target::kCpu:
      return v1::Recipe::CPU;
    case Target::kGpu:
      return v1::Recipe::GPU;
    case Target::kEdgeTpu:
      return v1::Recipe::EDGE_TPU;
    case Target::kMicrocontroller:
      return v1::Recipe::MICROCONTROLLER;
  }
  return v1::Recipe::TARGET_UNSPECIFIED;
}

v1::Recipe::Target TargetByName(std::string_view name) {
  const std::optional<Target> target = FindTarget(name);
  return target ? TargetToProto(*target) : v1::Recipe::TARGET_UNSPECIFIED;
}

}  // namespace lathe
