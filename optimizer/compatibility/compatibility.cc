#include "optimizer/compatibility/compatibility.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_format.h"
#include "optimizer/compatibility/mac_count.h"
#include "optimizer/compatibility/target_rules.h"
#include "optimizer/model/uses.h"
#include "optimizer/passes/operator_precision.h"

namespace lathe {
namespace {

struct TargetFacts {
  Target target;
  const char* description;
  std::string (*why_not)(const OperatorView&);
  const std::vector<std::string>& (*sources)();
};
constexpr TargetFacts kFacts[] = {
    {Target::kCpu, "CPU: XNNPACK runs what it takes, the runtime's own kernels the rest", WhyNotOnXnnpack, CpuSources},
    {Target::kGpu, "GPU delegate: the CPU runs what it does not take", WhyNotOnGpu, GpuSources},
    {Target::kEdgeTpu, "Edge TPU: the CPU runs everything from the first operator that it does not take",
     WhyNotOnEdgeTpu, EdgeTpuSources},
    {Target::kMicrocontroller, "TensorFlow Lite Micro: what it does not take does not run", WhyNotOnMicrocontroller,
     MicrocontrollerSources},
};

const TargetFacts& FactsOf(Target target) {
  return *std::find_if(std::begin(kFacts), std::end(kFacts),
                       [&](const TargetFacts& facts) { return facts.target == target; });
}

double Share(uint64_t part, uint64_t whole) {
  return whole == 0 ? 1.0 : static_cast<double>(part) / static_cast<double>(whole);
}

// The Edge TPU's compiler makes one piece: an operator behind one that stays on the CPU, which itself stands behind an
// accepted one, stays there too.
void CutAfterFirstRefusal(const Subgraph& graph, absl::Span<OperatorCompatibility> rows) {
  const UseMap uses(graph);
  std::vector<bool> after_accepted(graph.ops.size());
  std::vector<int> cut(graph.ops.size(), -1);  // the operator that cut it off
  for (size_t i = 0; i < graph.ops.size(); ++i) {
    for (TensorId id : graph.ops[i].inputs) {
      const OpId producer = id.valid() ? uses.producer(id) : OpId();
      if (!producer.valid()) continue;
      const size_t before = producer.index();
      after_accepted[i] = after_accepted[i] || after_accepted[before] || rows[before].accepted;
      if (cut[i] < 0) cut[i] = cut[before];
      if (cut[i] < 0 && !rows[before].accepted && after_accepted[before]) cut[i] = static_cast<int>(before);
    }
    if (cut[i] < 0 || !rows[i].accepted) continue;
    rows[i].accepted = false;
    rows[i].reason = absl::StrFormat("it follows operator %d %s, which stays on the CPU", cut[i],
                                     rows[static_cast<size_t>(cut[i])].kind);
  }
}

// XNNPACK takes what unpacks a constant only together with an operator that reads it.
void LeaveUnreadConstants(const Model& model, const Subgraph& graph, absl::Span<OperatorCompatibility> rows) {
  const UseMap uses(graph);
  std::vector<bool> unpacks(graph.ops.size());
  for (size_t i = 0; i < graph.ops.size(); ++i) {
    const Op& op = graph.ops[i];
    if ((op.kind != OpKind::kDequantize && op.kind != OpKind::kDensify) || !op.input(0).valid()) continue;
    const OpId producer = uses.producer(op.inputs[0]);
    unpacks[i] = model.IsConstant(graph.tensor(op.inputs[0])) || (producer.valid() && unpacks[producer.index()]);
  }
  for (size_t i = graph.ops.size(); i-- > 0;) {
    if (!unpacks[i] || !rows[i].accepted || graph.ops[i].outputs.empty()) continue;
    const absl::Span<const OpId> readers = uses.consumers(graph.ops[i].outputs[0]);
    const bool taken =
        std::any_of(readers.begin(), readers.end(), [&](OpId reader) { return rows[reader.index()].accepted; });
    if (taken) continue;
    rows[i].accepted = false;
    rows[i].reason = "no operator that reads its constant is taken by XNNPACK";
  }
}

// Conversions at the ends of the model run on the CPU wherever a model with float inputs and outputs does.
bool IsConversion(const OperatorCompatibility& row) { return row.kind == "QUANTIZE" || row.kind == "DEQUANTIZE"; }

bool IsCompatible(const Model& model, Target target, const CompatibilityReport& report) {
  if (target == Target::kCpu) {
    for (const Subgraph& graph : model.subgraphs) {
      for (const Op& op : graph.ops) {
        if (!WhyNotOnCpu({model, graph, op}).empty()) return false;
      }
    }
    return true;
  }
  return std::all_of(report.rows.begin(), report.rows.end(), [&](const OperatorCompatibility& row) {
    return row.accepted || (target == Target::kEdgeTpu && IsConversion(row));
  });
}

std::vector<std::string> Reasons(const std::vector<OperatorCompatibility>& rows) {
  std::map<std::pair<std::string, std::string>, int> counts;
  for (const OperatorCompatibility& row : rows) {
    if (!row.accepted) ++counts[{row.kind, row.reason}];
  }
  std::vector<std::pair<std::pair<std::string, std::string>, int>> sorted(counts.begin(), counts.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  std::vector<std::string> reasons;
  for (const auto& [key, count] : sorted) {
    reasons.push_back(absl::StrFormat("%d x %s: %s", count, key.first, key.second));
  }
  return reasons;
}

}  // namespace

CompatibilityReport CheckTarget(const Model& model, Target target) {
  const TargetFacts& facts = FactsOf(target);
  CompatibilityReport report;
  report.target = TargetName(target);
  report.description = facts.description;
  report.sources = facts.sources();
  for (size_t s = 0; s < model.subgraphs.size(); ++s) {
    const Subgraph& graph = model.subgraphs[s];
    const size_t first = report.rows.size();
    for (size_t i = 0; i < graph.ops.size(); ++i) {
      const Op& op = graph.ops[i];
      OperatorCompatibility& row = report.rows.emplace_back();
      row.subgraph = static_cast<int>(s);
      row.index = static_cast<int>(i);
      row.kind = KindLabel(op);
      if (!op.outputs.empty() && op.outputs[0].valid()) row.name = graph.tensor(op.outputs[0]).name;
      row.reason = facts.why_not({model, graph, op});
      row.accepted = row.reason.empty();
      row.macs = CountMacs(model, graph, op);
    }
    if (target == Target::kCpu) LeaveUnreadConstants(model, graph, absl::MakeSpan(report.rows).subspan(first));
    if (target == Target::kEdgeTpu) CutAfterFirstRefusal(graph, absl::MakeSpan(report.rows).subspan(first));
  }
  for (const OperatorCompatibility& row : report.rows) {
    ++report.operators;
    report.macs += row.macs;
    report.accepted_operators += row.accepted;
    if (row.accepted) report.accepted_macs += row.macs;
  }
  report.operator_share = Share(static_cast<uint64_t>(report.accepted_operators), report.rows.size());
  report.mac_share = Share(report.accepted_macs, report.macs);
  report.compatible = IsCompatible(model, target, report);
  report.reasons = Reasons(report.rows);
  return report;
}

}  // namespace lathe
