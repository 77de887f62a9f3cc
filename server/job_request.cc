#include "server/job_request.h"

#include <algorithm>
#include <chrono>

#include "common/random_id.h"
#include "lathe/v1/artifact.pb.h"
#include "optimizer/recipe/validate.h"
#include "server/field_checks.h"
#include "server/limits.h"
#include "server/names.h"
#include "wire/recipe.h"

namespace lathe {
namespace {

// Checks one JobSpec; lowers what is above the limits in place.
class SpecParser {
 public:
  SpecParser(const std::string& project, FieldChecks& checks) : project_(project), checks_(checks) {}

  void Parse(v1::JobSpec& spec, JobRequest& request) {
    request.job.max_attempts = limits::kAttemptsMax;
    if (spec.has_optimize()) {
      request.job.kind = "optimize";
      ParseOptimize(*spec.mutable_optimize(), request);
    } else if (spec.has_benchmark()) {
      request.job.kind = "benchmark";
      ParseBenchmark(spec.benchmark(), request);
    } else {
      checks_.Add("spec", "say what to do: optimize or benchmark");
    }
    ParseTimes(spec);
    ParseBudgets(*spec.mutable_budgets());
    for (const NeededArtifact& needed : request.needed) request.job.inputs.push_back(needed.sha256);
    auto& inputs = request.job.inputs;
    std::sort(inputs.begin(), inputs.end());
    inputs.erase(std::unique(inputs.begin(), inputs.end()), inputs.end());
  }

 private:
  void Need(const std::string& field, const std::string& name, v1::Artifact::Kind kind, JobRequest& request) {
    const auto key = ParseArtifactName(name, field);
    if (!key.ok()) return checks_.Add(key.status());
    request.needed.push_back({field, name, key->sha256, kind});
  }

  void ParseOptimize(const v1::OptimizeSpec& optimize, JobRequest& request) {
    Need("spec.optimize.model", optimize.model(), v1::Artifact::MODEL, request);
    const auto resolved = ResolveRecipe(RecipeFromProto(optimize.recipe()), "spec.optimize.recipe");
    if (resolved.ok()) {
      request.job.preset = optimize.recipe().preset();
    } else {
      checks_.Add(resolved.status());
    }
    ParseData("spec.optimize.calibration", optimize.calibration(), request);
    if (optimize.acceptance_size() > 0) {
      checks_.Add("spec.optimize.acceptance", "gates are not implemented in this version; leave it empty");
    }
  }

  void ParseBenchmark(const v1::BenchmarkSpec& benchmark, JobRequest& request) {
    Need("spec.benchmark.model", benchmark.model(), v1::Artifact::MODEL, request);
    if (!benchmark.against().empty()) {
      Need("spec.benchmark.against", benchmark.against(), v1::Artifact::MODEL, request);
    }
    if (benchmark.runs() > limits::kBenchmarkRunsMax) {
      checks_.Add("spec.benchmark.runs",
                  absl::StrFormat("is %d, at most %d are allowed", benchmark.runs(), limits::kBenchmarkRunsMax));
    }
    if (benchmark.profile()) {
      checks_.Add("spec.benchmark.profile", "is not implemented in this version; leave it false");
    }
    if (benchmark.has_data() && !benchmark.data().artifact().empty()) {
      checks_.Add("spec.benchmark.data.artifact",
                  "is not implemented in this version: benchmarks use synthetic samples");
    } else {
      ParseData("spec.benchmark.data", benchmark.data(), request);
    }
  }

  void ParseData(const std::string& field, const v1::DatasetRef& data, JobRequest& request) {
    if (!data.artifact().empty()) Need(field + ".artifact", data.artifact(), v1::Artifact::DATASET, request);
    checks_.CheckSampling(field, data);
  }

  // False, with a violation, unless the duration is a valid positive one.
  bool CheckDuration(const char* field, const google::protobuf::Duration& duration) {
    const bool valid = duration.seconds() >= 0 && duration.seconds() <= 315'576'000'000 && duration.nanos() >= 0 &&
                       duration.nanos() < 1'000'000'000 && (duration.seconds() > 0 || duration.nanos() > 0);
    if (!valid) checks_.Add(field, "must be a positive duration, e.g. 600s");
    return valid;
  }

  void ParseTimes(v1::JobSpec& spec) {
    if (spec.has_deadline() && CheckDuration("spec.deadline", spec.deadline()) &&
        spec.deadline().seconds() >= limits::kDeadlineMax.count()) {
      spec.mutable_deadline()->set_seconds(limits::kDeadlineMax.count());
      spec.mutable_deadline()->set_nanos(0);
    }
    const bool given = spec.has_attempt_timeout();
    if (given && !CheckDuration("spec.attempt_timeout", spec.attempt_timeout())) return;
    if (!given || spec.attempt_timeout().seconds() >= limits::kAttemptTimeoutMax.count()) {
      spec.mutable_attempt_timeout()->set_seconds(limits::kAttemptTimeoutMax.count());
      spec.mutable_attempt_timeout()->set_nanos(0);
    }
  }

  void ParseBudgets(v1::Budgets& budgets) {
    const uint64_t memory = budgets.memory_bytes();
    if (memory != 0 && memory < limits::kJobMemoryBytesMin) {
      checks_.Add("spec.budgets.memory_bytes",
                  absl::StrFormat("is %d, at least %d are needed", memory, limits::kJobMemoryBytesMin));
    }
    budgets.set_memory_bytes(memory == 0 ? limits::kJobMemoryBytesMax : std::min(memory, limits::kJobMemoryBytesMax));
    const uint64_t output = budgets.max_output_bytes();
    budgets.set_max_output_bytes(output == 0 ? limits::kOutputBytesMax : std::min(output, limits::kOutputBytesMax));
  }

  const std::string& project_;
  FieldChecks& checks_;
};

// Empty when the kind works in this version.
absl::Status CheckKind(const v1::JobSpec& spec) {
  const char* kind = spec.has_evaluate()  ? "evaluate"
                     : spec.has_search()  ? "search"
                     : spec.has_inspect() ? "inspect"
                                          : "";
  if (*kind == '\0') return absl::OkStatus();
  return MakeError(
      absl::StatusCode::kUnimplemented, "KIND_UNIMPLEMENTED",
      absl::StrFormat("jobs of kind '%s' are not implemented in this version; it has optimize and benchmark%s", kind,
                      spec.has_inspect() ? ", and ModelService.InspectModel answers at once" : ""));
}

}  // namespace

absl::StatusOr<JobRequest> ParseJobRequest(const v1::SubmitJobRequest& request, int64_t now_micros) {
  LATHE_RETURN_IF_ERROR(CheckKind(request.spec()));
  FieldChecks checks;
  JobRequest parsed;
  const auto project = ParseParent(request.parent());
  if (project.ok()) {
    parsed.job.project = *project;
  } else {
    checks.Add(project.status());
  }
  if (!request.job_id().empty() && !IsResourceId(request.job_id())) {
    checks.Add("job_id", "must be 1 to 63 of a-z, 0-9 and '-', begin with a letter and not end with '-'");
  }
  checks.CheckRequestId("request_id", request.request_id());
  checks.CheckLabels("labels", request.labels());
  if (const size_t bytes = request.spec().ByteSizeLong(); bytes > limits::kSpecBytesMax) {
    // Not looked at further: what is so large holds no few mistakes.
    return MakeViolationsError({{"spec", absl::StrFormat("has %d bytes, at most %d are allowed; select tensors by "
                                                         "pattern instead of one rule each",
                                                         bytes, limits::kSpecBytesMax)}});
  }
  v1::JobSpec spec = request.spec();
  SpecParser(parsed.job.project, checks).Parse(spec, parsed);
  LATHE_RETURN_IF_ERROR(checks.Result());

  v1::SubmitJobRequest content = request;
  content.clear_request_id();
  parsed.job.id = request.job_id();
  parsed.job.spec = spec.SerializeAsString();
  if (spec.has_deadline()) {
    parsed.job.deadline_micros = now_micros + spec.deadline().seconds() * 1'000'000 + spec.deadline().nanos() / 1000;
  }
  parsed.job.labels = SortedLabels(request.labels());
  parsed.job.request_id = request.request_id();
  parsed.job.request_hash = ContentHash("SubmitJob", content);
  return parsed;
}

absl::StatusOr<JobRequest> ParseRetry(const v1::RetryJobRequest& request, const JobRecord& record, int64_t now_micros) {
  FieldChecks checks;
  checks.CheckRequestId("request_id", request.request_id());
  LATHE_RETURN_IF_ERROR(checks.Result());
  if (!IsTerminal(record.state)) {
    return MakeError(absl::StatusCode::kFailedPrecondition, "JOB_NOT_FINISHED",
                     absl::StrFormat("job %s is %s; only a job that has ended can be run again", record.key.id,
                                     JobStateName(record.state)));
  }
  v1::RetryJobRequest content = request;
  content.clear_request_id();
  JobRequest parsed;
  parsed.job.project = record.key.project;
  parsed.job.kind = record.kind;
  parsed.job.preset = record.preset;
  parsed.job.spec = record.spec;
  parsed.job.labels = record.labels;
  parsed.job.priority = record.priority;
  if (record.deadline_micros != 0) {
    parsed.job.deadline_micros = now_micros + record.deadline_micros - record.create_time_micros;
  }
  parsed.job.max_attempts = limits::kAttemptsMax;
  parsed.job.retry_of = record.key.id;
  parsed.job.inputs = record.inputs;
  parsed.job.request_id = request.request_id();
  parsed.job.request_hash = ContentHash("RetryJob", content);
  return parsed;
}

}  // namespace lathe
