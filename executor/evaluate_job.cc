#include <memory>
#include <vector>

#include "common/file.h"
#include "executor/accuracy.h"
#include "executor/job.h"
#include "executor/job_parts.h"
#include "executor/provenance.h"
#include "optimizer/model/model_reader.h"
#include "runtime/process_memory.h"
#include "wire/report.h"

namespace lathe {

absl::StatusOr<internal::v1::ExecutorResult> RunEvaluate(const JobContext& context) {
  const internal::v1::ExecutorSpec::Evaluate& spec = context.spec.evaluate();
  Report report;
  StepTimer timer(report.timing);
  context.events.BeginPhase("read", 0, 0.05);
  timer.Begin("read");
  LATHE_ASSIGN_OR_RETURN(const ModelFile model, ReadModelFile(context, spec.model(), "the model"));
  std::vector<EvaluatedModel> models = {{model.model, model.file->bytes(), model.file.get(), "the model"}};
  LATHE_ASSIGN_OR_RETURN(report.input, DescribeFile(model.path, false));
  ModelFile against;
  if (!spec.against().empty()) {
    LATHE_ASSIGN_OR_RETURN(against, ReadModelFile(context, spec.against(), "the model to compare against"));
    models.push_back({against.model, against.file->bytes(), against.file.get(), "the model to compare against"});
    LATHE_ASSIGN_OR_RETURN(report.output, DescribeFile(against.path, false));
  }

  context.events.BeginPhase("evaluate", 0.05, 1);
  timer.Begin("evaluate");
  const AccuracyRequest request = {.data = spec.data(),
                                   .metric = spec.metric(),
                                   .options = spec.options(),
                                   .samples = context.spec.samples(),
                                   .predictions = spec.predictions()};
  LATHE_RETURN_IF_ERROR(MeasureAccuracy(context, request, models, report));
  timer.End();

  std::vector<std::string> data = std::move(report.provenance.data_sha256);
  report.provenance = JobProvenance(context);
  report.provenance.data_sha256 = std::move(data);
  report.peak_rss_bytes = PeakRssBytes();
  internal::v1::ExecutorResult result;
  *result.mutable_report() = ReportToProto(report);
  return result;
}

}  // namespace lathe
