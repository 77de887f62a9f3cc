#include <algorithm>
#include <future>
#include <memory>
#include <utility>
#include <vector>

#include "common/digest.h"
#include "common/file.h"
#include "common/parallel.h"
#include "executor/job.h"
#include "executor/job_parts.h"
#include "executor/provenance.h"
#include "optimizer/model/dump.h"
#include "optimizer/model/model_reader.h"
#include "optimizer/model/model_writer.h"
#include "optimizer/passes/operator_precision.h"
#include "optimizer/passes/registry.h"
#include "optimizer/recipe/plan.h"
#include "optimizer/recipe/validate.h"
#include "runtime/calibrate.h"
#include "runtime/compare.h"
#include "wire/recipe.h"
#include "wire/report.h"

namespace lathe {
namespace {

constexpr char kOutputPath[] = "out/model.tflite";
// What comparing may use beyond the two files: the bound that the whole transformation has. Small models still get an
// interpreter for each core; a large one runs on all cores at once, at about the same speed.
constexpr uint64_t kCompareBytesMax = uint64_t{64} << 20;

// One optimize job from the input file to the verified artifact and its report.
class OptimizeJob {
 public:
  explicit OptimizeJob(const JobContext& context)
      : context_(context), spec_(context.spec.optimize()), timer_(report_.timing) {}

  absl::StatusOr<internal::v1::ExecutorResult> Run() {
    LATHE_RETURN_IF_ERROR(Read());
    LATHE_RETURN_IF_ERROR(Transform());
    LATHE_RETURN_IF_ERROR(Write());
    LATHE_RETURN_IF_ERROR(Compare());
    LATHE_RETURN_IF_ERROR(Measure());
    timer_.End();
    Describe();
    internal::v1::ExecutorResult result;
    *result.mutable_report() = ReportToProto(report_);
    return result;
  }

 private:
  // Hostile bytes end here: what Read lets through has been verified.
  absl::Status Read() {
    context_.events.BeginPhase("read", 0, 0.05);
    timer_.Begin("read");
    LATHE_ASSIGN_OR_RETURN(recipe_, ResolveRecipe(RecipeFromProto(spec_.recipe()), "recipe"));
    LATHE_ASSIGN_OR_RETURN(input_path_, context_.Path(spec_.model()));
    LATHE_ASSIGN_OR_RETURN(input_file_, MappedFile::Open(input_path_));
    LATHE_ASSIGN_OR_RETURN(input_, ReadModel(input_file_));
    input_report_ = std::async(std::launch::async, DescribeFile, input_path_, spec_.benchmark());
    if (!spec_.calibration().empty()) {
      LATHE_ASSIGN_OR_RETURN(std::string data, context_.Path(spec_.calibration()));
      LATHE_ASSIGN_OR_RETURN(Digest digest, Sha256File(data));
      report_.provenance.data_sha256.push_back(HexDigest(digest));
    }
    return absl::OkStatus();
  }

  absl::Status Transform() {
    model_ = input_;  // buffers stay views of the input file
    const std::vector<std::string> plan = PlanRecipe(recipe_);
    int64_t changed_last = 0;
    for (size_t i = 0; i < plan.size(); ++i) {
      LATHE_ASSIGN_OR_RETURN(std::unique_ptr<Pass> pass, MakePass(plan[i], recipe_));
      Calibration calibration;
      RangeTable ranges;
      PassContext pass_context;
      pass_context.cancel = context_.cancel;
      if (pass->NeedsRanges()) {
        LATHE_RETURN_IF_ERROR(CheckEligible());
        LATHE_ASSIGN_OR_RETURN(calibration, CalibrateModel());
        ranges = calibration.stats.Ranges();
        pass_context.ranges = &ranges;
        pass_context.stats = &calibration.stats;
      }
      const double from = pass_context.ranges == nullptr ? 0.05 : 0.5;
      context_.events.BeginPhase("pass", from, from, plan[i]);
      timer_.Begin(plan[i]);
      LATHE_ASSIGN_OR_RETURN(Change change, RunPass(*pass, model_, pass_context));
      timer_.End();
      changed_last = change.count;
      report_.plan.push_back({plan[i], DescriptionOf(plan[i]), change.count});
      std::move(change.warnings.begin(), change.warnings.end(), std::back_inserter(report_.warnings));
    }
    // The last pass is the one that the user asked for; those before only prepare.
    return changed_last > 0 ? absl::OkStatus() : NothingToDo();
  }

  absl::Status CheckEligible() const { return CountEligible(model_, recipe_) > 0 ? absl::OkStatus() : NothingToDo(); }

  absl::Status NothingToDo() const {
    return MakeError(absl::StatusCode::kFailedPrecondition, "NOTHING_TO_DO",
                     absl::StrFormat("the recipe would change nothing: %s; give the float model, or another preset",
                                     WhyNothingToDo(input_)));
  }

  static std::string DescriptionOf(const std::string& pass) {
    for (const PassInfo& info : Passes()) {
      if (info.name == pass) return info.description;
    }
    return "";
  }

  absl::StatusOr<Calibration> CalibrateModel() {
    context_.events.BeginPhase("calibrate", 0.05, 0.5);
    timer_.Begin("calibrate");
    LATHE_RETURN_IF_ERROR(OpenSamplesOnce());
    if (samples_->synthetic()) {
      report_.warnings.push_back(absl::StrFormat(
          "calibrated on %d synthetic samples: ranges of real data will differ; give --calibration", samples_->size()));
    }
    std::vector<TensorId> tensors;
    const Subgraph& graph = model_.subgraphs[0];
    for (size_t i = 0; i < graph.tensors.size(); ++i) {
      if (graph.tensors[i].type == TensorType::kFloat32 && !model_.IsConstant(graph.tensors[i])) {
        tensors.push_back(TensorId(i));
      }
    }
    CalibrateOptions options;
    options.threads = threads();
    // The parent ends a job that passes its budget, and the plan rests on estimates: leave them a quarter.
    if (context_.spec.memory_bytes() > 0) options.memory_bytes = context_.spec.memory_bytes() / 4 * 3;
    options.cancel = context_.cancel;
    options.progress = [this](uint64_t done, uint64_t total) { context_.events.Samples(done, total); };
    options.scratch_dir = context_.job_dir + "/out";
    return Calibrate(model_, tensors, *samples_, options);
  }

  // Writes the artifact, then reads it back: what is handed out is what was verified.
  absl::Status Write() {
    context_.events.BeginPhase("write", 0.6, 0.65);
    timer_.Begin("write");
    output_path_ = context_.job_dir + "/" + kOutputPath;
    LATHE_RETURN_IF_ERROR(WriteModelToFile(model_, output_path_));
    LATHE_ASSIGN_OR_RETURN(output_file_, MappedFile::Open(output_path_));
    absl::StatusOr<Model> output = ReadModel(output_file_);
    if (!output.ok()) return Broken(output.status().message());
    std::string dumps[2];
    ParallelFor(2, [&](size_t i) { dumps[i] = DumpModel(i == 0 ? *output : model_); });
    if (dumps[0] != dumps[1]) return Broken("it does not hold what was written");
    output_report_ = std::async(std::launch::async, DescribeFile, output_path_, spec_.benchmark());
    model_ = *std::move(output);  // drops the passes' buffers: from here on the file is the model
    const size_t before = input_file_->bytes().size(), after = output_file_->bytes().size();
    if (after > before) {
      return MakeError(
          absl::StatusCode::kFailedPrecondition, "LARGER_THAN_INPUT",
          absl::StrFormat("the result would have %d bytes, the input has %d: its weights are too few or too "
                          "small for this preset; try another one",
                          after, before));
    }
    return absl::OkStatus();
  }

  static absl::Status Broken(absl::string_view what) {
    return MakeError(
        absl::StatusCode::kInternal, "ARTIFACT_BROKEN",
        absl::StrFormat("the written model does not verify (a defect in Lathe, please report it): %s", what));
  }

  absl::Status Compare() {
    context_.events.BeginPhase("compare", 0.65, 0.85);
    timer_.Begin("compare");
    LATHE_RETURN_IF_ERROR(OpenSamplesOnce());
    LATHE_RETURN_IF_ERROR(samples_->Rewind());
    CompareOptions options;
    options.threads = threads();
    options.memory_bytes = kCompareBytesMax;
    options.cancel = context_.cancel;
    options.progress = [this](uint64_t done, uint64_t total) { context_.events.Samples(done, total); };
    ErrorReport& error = report_.error.emplace();
    error.synthetic = samples_->synthetic();
    error.samples = samples_->size();
    LATHE_ASSIGN_OR_RETURN(
        error.outputs, CompareOutputs(input_, input_file_->bytes(), model_, output_file_->bytes(), *samples_, options));
    for (const OutputError& output : error.outputs) {
      if (!output.sqnr_db) {
        report_.warnings.push_back(
            absl::StrFormat("output '%s' is zero on every sample: its error cannot be told", output.name));
      }
    }
    return absl::OkStatus();
  }

  absl::Status Measure() {
    const bool benchmark = spec_.benchmark();
    context_.events.BeginPhase("benchmark", 0.85, 1);
    timer_.Begin("measure");
    // Both are done before the first timed run.
    LATHE_ASSIGN_OR_RETURN(report_.input, input_report_.get());
    LATHE_ASSIGN_OR_RETURN(report_.output, output_report_.get());
    if (!benchmark) return absl::OkStatus();
    const BenchmarkModel models[] = {{&input_, input_file_->bytes()}, {&model_, output_file_->bytes()}};
    BenchmarkOptions options;
    options.threads = threads();
    options.cancel = context_.cancel;
    LATHE_RETURN_IF_ERROR(samples_->Rewind());
    LATHE_ASSIGN_OR_RETURN(std::vector<Latency> latencies, Benchmark(models, *samples_, options));
    report_.latency = MakeLatencyReport(latencies, options.threads);
    if (report_.latency->output_ms > report_.latency->input_ms * 1.05) {
      report_.warnings.push_back(absl::StrFormat("slower than the input on this machine: %.3g ms against %.3g ms",
                                                 report_.latency->output_ms, report_.latency->input_ms));
    }
    return absl::OkStatus();
  }

  void Describe() {
    context_.events.BeginPhase("benchmark", 1, 1);
    report_.operators = DescribeOperators(model_, recipe_);
    std::vector<std::string> data = std::move(report_.provenance.data_sha256);
    report_.provenance = JobProvenance(context_);
    report_.provenance.data_sha256 = std::move(data);
    report_.provenance.recipe_sha256 = HexDigest(RecipeToProto(recipe_).SerializeAsString());
    report_.peak_rss_bytes = PeakRssBytes();
  }

  absl::Status OpenSamplesOnce() {
    if (samples_ != nullptr) return absl::OkStatus();
    LATHE_ASSIGN_OR_RETURN(samples_, OpenJobSamples(context_, input_, spec_.calibration(), &recipe_));
    const std::vector<std::string>& warnings = samples_->warnings();
    report_.warnings.insert(report_.warnings.end(), warnings.begin(), warnings.end());
    return absl::OkStatus();
  }

  int threads() const { return std::max(1, static_cast<int>(context_.spec.threads())); }

  const JobContext& context_;
  const internal::v1::ExecutorSpec::Optimize& spec_;
  Recipe recipe_;
  std::string input_path_, output_path_;
  std::shared_ptr<const MappedFile> input_file_, output_file_;
  // Digests and compressed sizes, computed beside the other steps. Their destructors wait.
  std::future<absl::StatusOr<FileReport>> input_report_, output_report_;
  Model input_, model_;
  std::unique_ptr<SampleSource> samples_;
  Report report_;
  StepTimer timer_;
};

}  // namespace

absl::StatusOr<internal::v1::ExecutorResult> RunOptimize(const JobContext& context) {
  return OptimizeJob(context).Run();
}

}  // namespace lathe
