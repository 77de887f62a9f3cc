#include "executor/accuracy.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <system_error>

#include "common/digest.h"
#include "common/file.h"
#include "executor/job_parts.h"
#include "wire/metric_options.h"

namespace lathe {
namespace {

// What interpreters may take where one would do: as many as there are cores for small models, a few for large ones.
constexpr uint64_t kSpreadBytes = uint64_t{1} << 30;

absl::StatusOr<std::string> MakePredictionsFolder(const JobContext& context) {
  std::string folder = context.job_dir + "/out/predictions";
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return ErrnoToStatus(error.value(), "cannot make", folder);
  return folder;
}

}  // namespace

absl::Status MeasureAccuracy(const JobContext& context, const AccuracyRequest& request,
                             const std::vector<EvaluatedModel>& models, Report& report) {
  EvaluateOptions options;
  options.metric = request.metric.empty() ? kDefaultMetric : request.metric;
  options.metric_options = MetricOptionsFromProto(request.options);
  const auto violations = CheckMetric(options.metric, options.metric_options, "metric", "options");
  if (!violations.empty()) return MakeViolationsError(violations);
  LATHE_ASSIGN_OR_RETURN(const std::string path, context.Path(request.data));
  LATHE_ASSIGN_OR_RETURN(const Digest digest, Sha256File(path));
  report.provenance.data_sha256.push_back(HexDigest(digest));
  SampleOptions sample_options = JobSampleOptions(context, request.samples, request.recipe);
  const bool labels = FindMetric(options.metric)->needs_labels;
  sample_options.labels = labels ? SampleOptions::Labels::kRequired : SampleOptions::Labels::kIgnore;
  LATHE_ASSIGN_OR_RETURN(const std::unique_ptr<SampleSource> samples,
                         OpenSamples(models[0].model, path, sample_options));
  const auto warn = [&told = report.warnings](const std::vector<std::string>& warnings) {
    for (const std::string& warning : warnings) {
      if (std::find(told.begin(), told.end(), warning) == told.end()) told.push_back(warning);
    }
  };
  warn(samples->warnings());
  options.threads = std::max(1, static_cast<int>(context.spec.threads()));
  options.memory_bytes = std::min(kSpreadBytes, context.spec.memory_bytes() / 2);
  options.seed = context.spec.seed();
  options.cancel = context.cancel;
  options.progress = [&context](uint64_t done, uint64_t total) { context.events.Samples(done, total); };
  if (request.predictions) {
    LATHE_ASSIGN_OR_RETURN(options.predictions_folder, MakePredictionsFolder(context));
  }
  const bool spans = options.metric == "f1" || options.metric == "em";
  if (spans && options.metric_options.answer_span.vocabulary.empty()) {
    report.warnings.push_back(
        "answers are compared by token ids: SQuAD's rules need the texts of the tokens, the metric option "
        "`answer_span.vocabulary`");
  }
  LATHE_ASSIGN_OR_RETURN(report.accuracy, Evaluate(models, *samples, options));
  warn(samples->FindValueWarnings());
  return absl::OkStatus();
}

}  // namespace lathe
