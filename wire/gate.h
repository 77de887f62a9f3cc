#ifndef LATHE_WIRE_GATE_H_
#define LATHE_WIRE_GATE_H_

#include <google/protobuf/repeated_field.h>

#include <string>
#include <vector>

#include "common/status.h"
#include "lathe/v1/job.pb.h"
#include "lathe/v1/report.pb.h"
#include "optimizer/recipe/gate.h"

namespace lathe {

// What a job measures, as far as it is known before it starts.
struct GateCircumstances {
  bool benchmarks = true;  // latency and compressed sizes
  bool has_data = false;   // calibration data of the user: synthetic samples never decide a gate
  std::string metric;      // of the accuracy that is measured; "": none is
};

v1::Gate GateToProto(const Gate& gate);
// A threshold or operator that is not set reads as 0 and <=; CheckGates says so.
Gate GateFromProto(const v1::Gate& proto);

// What is wrong with the gates of a job, as `field`[i]: paths that the report does not have, fields that are not set or
// not finite, a relative threshold where the input has no value, points where the metric has none, and what this job
// does not measure. More than 100 gates.
std::vector<FieldViolation> CheckGates(const google::protobuf::RepeatedPtrField<v1::Gate>& gates,
                                       const GateCircumstances& circumstances, const std::string& field);

// Fills report->gates. FAILED_PRECONDITION GATE_NOT_MEASURED: the report has no such number; GATE_SYNTHETIC: it was
// measured on synthetic samples. Names the gate. REQUIRES: CheckGates finds nothing.
absl::Status HoldGates(const google::protobuf::RepeatedPtrField<v1::Gate>& gates, v1::Report* report);

// FAILED_PRECONDITION GATE_NOT_MET: a gate of the report was not met, with all that were not and by how much.
absl::Status GateVerdict(const v1::Report& report);

}  // namespace lathe

#endif  // LATHE_WIRE_GATE_H_
