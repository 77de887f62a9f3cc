#include <algorithm>
#include <memory>
#include <vector>

#include "common/file.h"
#include "executor/compare_models.h"
#include "executor/job.h"
#include "executor/job_parts.h"
#include "optimizer/model/model_reader.h"
#include "runtime/memory_plan.h"
#include "runtime/sample_subset.h"
#include "wire/comparison.h"

namespace lathe {
namespace {

// More change the figures by tenths of a dB, and one sample of a model of large images has many values.
constexpr uint64_t kSamplesMax = 32, kSamplesMin = 1;
constexpr uint64_t kValuesMax = uint64_t{1} << 30;  // read in one file, all samples together
constexpr uint64_t kSamplesBytesMax = uint64_t{32} << 20;

absl::StatusOr<Model> Read(std::shared_ptr<const MappedFile> file, const char* what) {
  absl::StatusOr<Model> model = ReadModel(std::move(file));
  if (!model.ok()) return Annotate(model.status(), what);
  return model;
}

// All samples, or as many as `count` of them, evenly spaced.
std::vector<size_t> EvenlySpaced(size_t size, size_t count) {
  std::vector<size_t> indices(std::min(size, count));
  for (size_t i = 0; i < indices.size(); ++i) indices[i] = i * size / indices.size();
  return indices;
}

uint64_t DefaultSamples(const Model& model) {
  uint64_t values = 1;
  for (const Tensor& tensor : model.subgraphs[0].tensors) {
    if (!model.IsConstant(tensor)) values += ActivationBytes(tensor) / sizeof(float);
  }
  return std::clamp(kValuesMax / values, kSamplesMin, kSamplesMax);
}

}  // namespace

absl::StatusOr<internal::v1::ExecutorResult> RunCompare(const JobContext& context) {
  const internal::v1::ExecutorSpec::Compare& spec = context.spec.compare();
  context.events.BeginPhase("read", 0, 0.1);
  LATHE_ASSIGN_OR_RETURN(const std::string path_a, context.Path(spec.model()));
  LATHE_ASSIGN_OR_RETURN(const std::string path_b, context.Path(spec.against()));
  LATHE_ASSIGN_OR_RETURN(const std::shared_ptr<const MappedFile> file_a, MappedFile::Open(path_a));
  LATHE_ASSIGN_OR_RETURN(const std::shared_ptr<const MappedFile> file_b, MappedFile::Open(path_b));
  LATHE_ASSIGN_OR_RETURN(const Model a, Read(file_a, "the first model"));
  LATHE_ASSIGN_OR_RETURN(const Model b, Read(file_b, "the second model"));
  LATHE_ASSIGN_OR_RETURN(const std::unique_ptr<SampleSource> all, OpenJobSamples(context, a, spec.data()));
  const uint64_t most = spec.samples_max() > 0 ? spec.samples_max() : DefaultSamples(a);
  LATHE_ASSIGN_OR_RETURN(const std::unique_ptr<SampleSource> samples,
                         SelectSamples(*all, EvenlySpaced(all->size(), most), kSamplesBytesMax));
  context.events.BeginPhase("compare", 0.1, 1);
  CompareModelsOptions options;
  options.threads = std::max(1, static_cast<int>(context.spec.threads()));
  options.cancel = context.cancel;
  options.progress = [&](uint64_t done, uint64_t total) { context.events.Samples(done, total); };
  options.scratch_dir = context.job_dir + "/out";
  LATHE_ASSIGN_OR_RETURN(ComparisonReport report, CompareModels({a, *file_a}, {b, *file_b}, *samples, options));
  report.warnings.insert(report.warnings.begin(), all->warnings().begin(), all->warnings().end());
  for (std::string& warning : all->FindValueWarnings()) report.warnings.push_back(std::move(warning));
  internal::v1::ExecutorResult result;
  *result.mutable_comparison() = ComparisonToProto(report);
  return result;
}

}  // namespace lathe
