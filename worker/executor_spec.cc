#include "worker/executor_spec.h"

#include <algorithm>
#include <string>

#include "common/digest.h"

namespace lathe {
namespace {

// projects/P/artifacts/DIGEST -> DIGEST; "" stays.
std::string DigestOf(const std::string& artifact_name) { return artifact_name.substr(artifact_name.rfind('/') + 1); }

std::string InputPath(const std::string& artifact_name) {
  return artifact_name.empty() ? "" : "input/" + DigestOf(artifact_name);
}

void SetSamples(const v1::DatasetRef& data, internal::v1::ExecutorSpec& spec) {
  spec.set_seed(data.seed());
  internal::v1::SampleOptions& samples = *spec.mutable_samples();
  samples.set_sample_limit(data.sample_limit());
  if (data.has_preprocessing()) *samples.mutable_preprocessing() = data.preprocessing();
  if (!data.has_input_range()) return;
  samples.set_input_low(data.input_range().low());
  samples.set_input_high(data.input_range().high());
}

void SetOptimize(const v1::OptimizeSpec& job, internal::v1::ExecutorSpec& spec) {
  internal::v1::ExecutorSpec::Optimize& work = *spec.mutable_optimize();
  work.set_model(InputPath(job.model()));
  *work.mutable_recipe() = job.recipe();
  work.set_calibration(InputPath(job.calibration().artifact()));
  work.set_benchmark(!job.skip_benchmark());
  work.set_sensitivity(job.sensitivity());
  if (const auto digest = ParseHexDigest(DigestOf(job.model())); digest.ok()) {
    work.set_model_sha256(std::string(digest->begin(), digest->end()));
  }
  SetSamples(job.calibration(), spec);
}

void SetBenchmark(const v1::BenchmarkSpec& job, internal::v1::ExecutorSpec& spec) {
  internal::v1::ExecutorSpec::Benchmark& work = *spec.mutable_benchmark();
  work.set_model(InputPath(job.model()));
  work.set_against(InputPath(job.against()));
  work.set_runs(job.runs());
  work.set_profile(job.profile());
  work.set_data(InputPath(job.data().artifact()));
  SetSamples(job.data(), spec);
}

}  // namespace

absl::StatusOr<internal::v1::ExecutorSpec> MakeExecutorSpec(const v1::JobSpec& job,
                                                            const SubprocessExecutorOptions& options) {
  internal::v1::ExecutorSpec spec;
  if (job.has_optimize()) {
    SetOptimize(job.optimize(), spec);
  } else if (job.has_benchmark()) {
    SetBenchmark(job.benchmark(), spec);
  } else {
    return MakeError(absl::StatusCode::kUnimplemented, "KIND_UNIMPLEMENTED",
                     "this version runs jobs of kind optimize and benchmark only");
  }
  uint32_t threads = static_cast<uint32_t>(options.threads);
  if (job.budgets().threads() != 0) threads = std::min(threads, job.budgets().threads());
  spec.set_threads(threads);
  uint64_t memory = options.memory_bytes;
  if (job.budgets().memory_bytes() != 0) memory = std::min(memory, job.budgets().memory_bytes());
  spec.set_memory_bytes(memory);
  return spec;
}

}  // namespace lathe
