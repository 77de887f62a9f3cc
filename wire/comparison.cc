#include "wire/comparison.h"

#include <algorithm>
#include <cmath>

#include "wire/causes.h"
#include "wire/report.h"

namespace lathe {
namespace {

void Fill(const OperatorRef& from, v1::ComparedOperatorRef* to) {
  to->set_subgraph(static_cast<uint32_t>(std::max(from.subgraph, 0)));
  to->set_index(static_cast<uint32_t>(std::max(from.index, 0)));
  to->set_kind(from.kind);
  to->set_name(from.name);
}

void Fill(const OperatorComparison& from, v1::OperatorComparison* to) {
  if (from.a) Fill(*from.a, to->mutable_a());
  Fill(from.b, to->mutable_b());
  to->set_precision(from.precision);
  if (from.sqnr_db && std::isfinite(*from.sqnr_db)) to->set_sqnr_db(*from.sqnr_db);
  if (from.own_sqnr_db && std::isfinite(*from.own_sqnr_db)) to->set_own_sqnr_db(*from.own_sqnr_db);
  for (const CauseReport& cause : from.causes) {
    v1::OperatorCause* added = to->add_causes();
    added->set_cause(std::string(CauseName(cause.cause)));
    added->set_sqnr_db(cause.sqnr_db);
    added->set_share(cause.share);
    added->set_advice(cause.advice);
  }
  to->set_advice(from.advice);
  to->set_reason(from.reason);
}

}  // namespace

v1::Comparison ComparisonToProto(const ComparisonReport& report) {
  v1::Comparison proto;
  proto.set_identical(report.identical);
  proto.set_synthetic(report.synthetic);
  proto.set_samples(report.samples);
  for (const OutputError& output : report.outputs) *proto.add_outputs() = OutputErrorToProto(output);
  for (const OperatorComparison& row : report.operators) Fill(row, proto.add_operators());
  for (const RankedCause& cause : report.ranking) *proto.add_ranking() = RankedCauseToProto(cause);
  for (const UnmatchedOperator& unmatched : report.unmatched) {
    v1::UnmatchedOperator* added = proto.add_unmatched();
    added->set_file(unmatched.in_a ? "a" : "b");
    Fill(unmatched.op, added->mutable_operator_());
  }
  for (const std::string& warning : report.warnings) proto.add_warnings(warning);
  return proto;
}

}  // namespace lathe
