#include <memory>
#include <vector>

#include "common/build_id.h"
#include "common/file.h"
#include "executor/job.h"
#include "executor/job_parts.h"
#include "executor/job_profile.h"
#include "executor/provenance.h"
#include "optimizer/model/model_reader.h"
#include "optimizer/passes/operator_precision.h"
#include "runtime/benchmark.h"
#include "runtime/process_memory.h"
#include "wire/report.h"

namespace lathe {
namespace {

struct LoadedFile {
  std::string path;
  std::shared_ptr<const MappedFile> file;
  Model model;
};

absl::StatusOr<LoadedFile> Load(const JobContext& context, const std::string& relative, const char* what) {
  LoadedFile loaded;
  LATHE_ASSIGN_OR_RETURN(loaded.path, context.Path(relative));
  LATHE_ASSIGN_OR_RETURN(loaded.file, MappedFile::Open(loaded.path));
  absl::StatusOr<Model> model = ReadModel(loaded.file);
  if (!model.ok()) return Annotate(model.status(), what);
  loaded.model = *std::move(model);
  return loaded;
}

absl::StatusOr<ProfileReport> ProfileFiles(const JobContext& context, absl::Span<const BenchmarkModel> models,
                                           SampleSource& samples) {
  ProfileOptions options;
  options.threads = static_cast<int>(context.spec.threads());
  options.cancel = context.cancel;
  ProfileReport report;
  for (const BenchmarkModel& model : models) {
    LATHE_ASSIGN_OR_RETURN(const ModelProfile profile, Profile(model, *models[0].model, samples, options));
    (report.input ? report.output : report.input) = MakeProfileReport(*model.model, profile);
  }
  return report;
}

}  // namespace

absl::StatusOr<internal::v1::ExecutorResult> RunBenchmark(const JobContext& context) {
  const internal::v1::ExecutorSpec::Benchmark& spec = context.spec.benchmark();
  const bool pair = !spec.against().empty();
  Report report;
  StepTimer timer(report.timing);
  context.events.BeginPhase("read", 0, 0.1);
  timer.Begin("read");
  std::vector<LoadedFile> files;
  LATHE_ASSIGN_OR_RETURN(files.emplace_back(), Load(context, spec.model(), "model"));
  if (pair) {
    LATHE_ASSIGN_OR_RETURN(files.emplace_back(), Load(context, spec.against(), "the model to compare against"));
  }
  LATHE_ASSIGN_OR_RETURN(report.input, DescribeFile(files[0].path, true));
  if (pair) {
    LATHE_ASSIGN_OR_RETURN(report.output, DescribeFile(files[1].path, true));
  }

  context.events.BeginPhase("benchmark", 0.1, 1);
  timer.Begin("benchmark");
  LATHE_ASSIGN_OR_RETURN(std::unique_ptr<SampleSource> samples, OpenJobSamples(context, files[0].model, spec.data()));
  std::vector<BenchmarkModel> models;
  for (const LoadedFile& file : files) models.push_back({&file.model, file.file->bytes()});
  BenchmarkOptions options;
  options.threads = static_cast<int>(context.spec.threads());
  options.runs = static_cast<int>(spec.runs());
  options.cancel = context.cancel;
  options.decide = true;
  LATHE_ASSIGN_OR_RETURN(const BenchmarkResult measured, Benchmark(models, *samples, options));
  report.latency = MakeLatencyReport(measured, options.threads);
  report.memory = MakeMemoryReport(measured, models);
  if (spec.profile()) {
    timer.Begin("profile");
    LATHE_ASSIGN_OR_RETURN(report.profile, ProfileFiles(context, models, *samples));
    report.operators = DescribeOperators(*models.back().model, Recipe());
    FillOperatorTimes(pair ? *report.profile->output : *report.profile->input, report.operators);
  }
  timer.End();

  report.provenance = JobProvenance(context);
  report.peak_rss_bytes = PeakRssBytes();
  internal::v1::ExecutorResult result;
  *result.mutable_report() = ReportToProto(report);
  return result;
}

}  // namespace lathe
