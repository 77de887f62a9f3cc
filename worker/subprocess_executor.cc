#include "worker/subprocess_executor.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "common/file.h"
#include "executor/supervisor.h"
#include "lathe/v1/artifact.pb.h"
#include "lathe/v1/job.pb.h"
#include "wire/gate.h"
#include "wire/report.h"
#include "wire/report_page.h"
#include "worker/executor_spec.h"

namespace lathe {
namespace {

constexpr char kModelPath[] = "out/model.tflite";
constexpr char kReportPath[] = "out/report.json";
constexpr char kPagePath[] = "out/report.html";
constexpr char kModelRole[] = "model", kReportRole[] = "report", kPageRole[] = "report-page";

ExecutorLimits LimitsOf(const SubprocessExecutorOptions& options, const v1::JobSpec& job,
                        const internal::v1::ExecutorSpec& spec, std::chrono::milliseconds time_left) {
  ExecutorLimits limits;
  limits.wall = std::min(options.wall, std::max(time_left, std::chrono::milliseconds(0)));
  if (job.has_attempt_timeout()) {
    const std::chrono::milliseconds asked = std::chrono::seconds(job.attempt_timeout().seconds()) +
                                            std::chrono::milliseconds(job.attempt_timeout().nanos() / 1'000'000);
    limits.wall = std::min(limits.wall, asked);
  }
  limits.memory_bytes = spec.memory_bytes();
  limits.file_bytes = options.file_bytes;
  if (job.budgets().max_output_bytes() != 0) {
    limits.file_bytes = std::min(limits.file_bytes, job.budgets().max_output_bytes());
  }
  return limits;
}

std::string ProgressBytes(const internal::v1::ExecutorEvent::Progress& event) {
  v1::Progress progress;
  progress.set_phase(event.phase());
  progress.set_pass(event.pass());
  progress.set_fraction(event.fraction());
  progress.set_samples_done(event.samples_done());
  progress.set_samples_total(event.samples_total());
  return progress.SerializeAsString();
}

v1::JobResult::Output::Role RoleOf(const PublishedOutput& published) {
  if (published.role == kModelRole) return v1::JobResult::Output::MODEL;
  return published.role == kPageRole ? v1::JobResult::Output::REPORT_PAGE : v1::JobResult::Output::REPORT;
}

std::string ResultBytes(v1::Report report, const std::string& project, const std::vector<PublishedOutput>& outputs) {
  v1::JobResult result;
  *result.mutable_report() = std::move(report);
  for (const PublishedOutput& published : outputs) {
    v1::JobResult::Output& output = *result.add_outputs();
    output.set_role(RoleOf(published));
    output.set_artifact(absl::StrFormat("projects/%s/artifacts/%s", project, published.sha256));
    output.set_size_bytes(published.size_bytes);
    output.set_sha256(absl::HexStringToBytes(published.sha256));
  }
  return result.SerializeAsString();
}

}  // namespace

SubprocessExecutor::SubprocessExecutor(SubprocessExecutorOptions options, Metrics& metrics)
    : options_(std::move(options)), metrics_(metrics) {}

absl::StatusOr<JobProduct> SubprocessExecutor::Execute(const ClaimedJob& job,
                                                       const std::function<void(std::string)>& on_progress,
                                                       const CancelToken& cancel) {
  v1::JobSpec job_spec;
  if (!job_spec.ParseFromString(job.record.spec)) {
    return MakeError(absl::StatusCode::kInternal, "BAD_ROW", "the stored spec is no JobSpec of this version");
  }
  ExecutorLaunch launch;
  launch.executor_path = options_.executor_path;
  launch.job_dir = job.job_dir;
  LATHE_ASSIGN_OR_RETURN(launch.spec, MakeExecutorSpec(job_spec, options_));
  launch.limits = LimitsOf(options_, job_spec, launch.spec, job.time_left);

  ExecutorExit exit;
  absl::StatusOr<internal::v1::ExecutorResult> result = RunExecutor(
      launch, [&](const internal::v1::ExecutorEvent::Progress& event) { on_progress(ProgressBytes(event)); }, cancel,
      &exit);
  metrics_.ExecutorExited(exit.outcome);
  LATHE_RETURN_IF_ERROR(result.status());
  if (!result->has_report()) {
    return MakeError(absl::StatusCode::kInternal, "EXECUTOR_CRASHED", "the executor ended well but left no report");
  }
  JobProduct product;
  product.verdict = GateVerdict(result->report());
  if (job_spec.has_optimize()) {
    product.outputs.push_back({kModelRole, kModelPath, v1::Artifact::MODEL, "application/vnd.tflite"});
  }
  LATHE_RETURN_IF_ERROR(
      WriteFileAtomically(job.job_dir + "/" + kReportPath, ReportText(result->report()), Durability::kScratch));
  product.outputs.push_back({kReportRole, kReportPath, v1::Artifact::REPORT, "application/json"});
  LATHE_RETURN_IF_ERROR(
      WriteFileAtomically(job.job_dir + "/" + kPagePath, ReportPage(result->report()), Durability::kScratch));
  product.outputs.push_back({kPageRole, kPagePath, v1::Artifact::REPORT, "text/html"});
  product.result = [report = std::move(*result->mutable_report()), project = job.record.key.project](
                       const std::vector<PublishedOutput>& outputs) { return ResultBytes(report, project, outputs); };
  return product;
}

}  // namespace lathe
