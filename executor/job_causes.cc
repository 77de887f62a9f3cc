#include "executor/job_causes.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <utility>

#include "runtime/memory_plan.h"
#include "runtime/sample_subset.h"

namespace lathe {
namespace {

constexpr size_t kCausesMax = 5;
// Operators that are looked at for them: what an operator seems to add is a guess until it is split.
constexpr size_t kSplitMax = 8;
// Samples and values of them that are read: the job has calibrated with and compared on a multiple of them.
constexpr uint64_t kSamplesMax = 4, kValuesMax = uint64_t{1} << 23;
// A job without data has run a few made-up samples and is over in a moment: only where activations and weights are so
// few that nobody notices.
constexpr uint64_t kSyntheticValuesMax = uint64_t{1} << 20;
constexpr uint64_t kSampleBytesMax = uint64_t{16} << 20;
constexpr uint64_t kProbeBytesMax = uint64_t{96} << 20;

uint64_t CountActivations(const Model& model) {
  uint64_t values = 1;
  for (const Tensor& tensor : model.subgraphs[0].tensors) {
    if (!model.IsConstant(tensor)) values += ActivationBytes(tensor) / sizeof(float);
  }
  return values;
}

std::vector<size_t> FirstSamples(size_t count) {
  std::vector<size_t> indices;
  for (size_t i = 0; i < count; ++i) indices.push_back(i);
  return indices;
}

}  // namespace

absl::Status DescribeCauses(const ComparedFile& a, const ComparedFile& b, SampleSource& samples,
                            const CompareModelsOptions& options, Report& report) {
  const uint64_t activations = CountActivations(a.model), weights = EstimateWeightBytes(a.model) / sizeof(float);
  if (samples.synthetic() && activations + weights > kSyntheticValuesMax) return absl::OkStatus();
  LATHE_RETURN_IF_ERROR(samples.Rewind());
  const size_t count = std::min<size_t>(samples.size(), std::clamp<uint64_t>(kValuesMax / activations, 1, kSamplesMax));
  LATHE_ASSIGN_OR_RETURN(const std::unique_ptr<SampleSource> few,
                         SelectSamples(samples, FirstSamples(count), kSampleBytesMax));
  CompareModelsOptions bounded = options;
  bounded.probe_bytes_max = kProbeBytesMax;
  absl::StatusOr<ComparisonReport> comparison = FindMainCauses(a, b, *few, kSplitMax, bounded);
  if (absl::IsFailedPrecondition(comparison.status()) || ReasonOf(comparison.status()) == "MODELS_DIFFER") {
    report.warnings.push_back(
        absl::StrFormat("the error of single operators was not measured: %s", comparison.status().message()));
    return absl::OkStatus();
  }
  LATHE_RETURN_IF_ERROR(comparison.status());
  std::map<int, std::optional<double>> by_index;
  for (const OperatorComparison& row : comparison->operators) {
    if (row.b.kind != kInputKind) by_index[row.b.index] = row.sqnr_db;
  }
  for (OperatorReport& op : report.operators) {
    const auto found = by_index.find(op.index);
    if (op.subgraph == 0 && found != by_index.end()) op.sqnr_db = found->second;
  }
  report.causes = std::move(comparison->ranking);
  if (report.causes.size() > kCausesMax) report.causes.resize(kCausesMax);
  return absl::OkStatus();
}

}  // namespace lathe
