#include <algorithm>
#include <future>
#include <memory>
#include <numeric>
#include <utility>
#include <vector>

#include "common/digest.h"
#include "common/file.h"
#include "common/parallel.h"
#include "executor/accuracy.h"
#include "executor/candidate.h"
#include "executor/job.h"
#include "executor/job_causes.h"
#include "executor/job_parts.h"
#include "executor/job_profile.h"
#include "executor/model_size.h"
#include "executor/provenance.h"
#include "executor/quantization_choice.h"
#include "executor/target_check.h"
#include "optimizer/model/dump.h"
#include "optimizer/model/model_reader.h"
#include "optimizer/model/model_writer.h"
#include "optimizer/passes/artifact_checks.h"
#include "optimizer/passes/equalize.h"
#include "optimizer/passes/graph_figures.h"
#include "optimizer/passes/operator_precision.h"
#include "optimizer/passes/registry.h"
#include "optimizer/passes/weight_histograms.h"
#include "optimizer/recipe/plan.h"
#include "optimizer/recipe/validate.h"
#include "runtime/compare.h"
#include "runtime/held_back.h"
#include "runtime/litert_library.h"
#include "runtime/process_memory.h"
#include "runtime/sample_subset.h"
#include "wire/gate.h"
#include "wire/recipe.h"
#include "wire/report.h"

namespace lathe {
namespace {

constexpr char kOutputPath[] = "out/model.tflite";
// What comparing may use beyond the two files: the bound that the whole transformation has. Small models still get an
// interpreter for each core; a large one runs on all cores at once, at about the same speed.
constexpr uint64_t kCompareBytesMax = uint64_t{64} << 20;
// Samples that decide which corrections stay: more cost time and change few decisions.
constexpr size_t kHeldBackMax = 32, kHeldBackMaxBest = 64;
constexpr uint64_t kHeldBackBytesMax = uint64_t{8} << 20;
// Of channel scales before and after equalization (ChannelImbalance): trained models as they come lie far below.
constexpr float kImbalanceMin = 64;
// What the times of the single operators may cost.
constexpr double kProfiledLoadMsMax = 150, kProfileMsMax = 20;
constexpr int kProfileRunsMax = 20;

// One optimize job from the input file to the verified artifact and its report.
class OptimizeJob {
 public:
  explicit OptimizeJob(const JobContext& context)
      : context_(context), spec_(context.spec.optimize()), timer_(report_.timing) {}

  absl::StatusOr<internal::v1::ExecutorResult> Run() {
    // Every job runs a model sooner or later; finding and relocating the runtime takes as long as reading one.
    const auto runtime = std::async(std::launch::async, LoadLiteRt);
    LATHE_RETURN_IF_ERROR(Read());
    LATHE_RETURN_IF_ERROR(Prepare());
    LATHE_RETURN_IF_ERROR(Transform());
    LATHE_RETURN_IF_ERROR(Write());
    report_.transform_peak_rss_bytes = PeakRssBytes();
    LATHE_RETURN_IF_ERROR(Compare());
    LATHE_RETURN_IF_ERROR(Evaluate());
    LATHE_RETURN_IF_ERROR(FindCauses());
    LATHE_RETURN_IF_ERROR(Measure());
    timer_.End();
    LATHE_RETURN_IF_ERROR(Describe());
    internal::v1::ExecutorResult result;
    *result.mutable_report() = ReportToProto(report_);
    LATHE_RETURN_IF_ERROR(HoldGates(spec_.gates(), result.mutable_report()));
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
    input_size_ = std::async(std::launch::async, MeasureInArena, std::cref(input_), std::cref(*input_file_), threads(),
                             spec_.benchmark());
    if (!spec_.calibration().empty()) {
      LATHE_ASSIGN_OR_RETURN(std::string data, context_.Path(spec_.calibration()));
      data_digest_ = std::async(std::launch::async, Sha256File, data);
    }
    return absl::OkStatus();
  }

  // What is the same whatever is chosen later: clean-up and rewrites that cost no accuracy.
  absl::Status Prepare() {
    LATHE_ASSIGN_OR_RETURN(settings_, SettingsTable::Resolve(input_, recipe_));
    report_.rule_matches = DescribeMatches(input_, settings_);
    model_ = input_;  // buffers stay views of the input file
    const std::vector<std::string> plan = PlanRecipe(recipe_);
    for (const std::string& name : plan) {
      if (IsQuantizing(name) || !quantizing_.empty()) {
        quantizing_.push_back(name);
      } else {
        LATHE_RETURN_IF_ERROR(CleanUp(name));
      }
    }
    timer_.End();
    // Rules may bring other schemes: then the passes tell.
    return !recipe_.rules.empty() || CountEligible(model_, recipe_) > 0 ? absl::OkStatus() : NothingToDo();
  }

  // Runs a pass that needs no choice on the model as it is.
  absl::Status CleanUp(const std::string& name) {
    context_.events.BeginPhase("pass", 0.05, 0.05, name);
    timer_.Begin(name);
    LATHE_ASSIGN_OR_RETURN(const std::unique_ptr<Pass> pass, MakePass(name, recipe_));
    PassContext pass_context;
    pass_context.settings = &settings_;
    pass_context.cancel = context_.cancel;
    LATHE_ASSIGN_OR_RETURN(Change change, RunPass(*pass, model_, pass_context));
    report_.plan.push_back({name, PassDescription(name), change.count});
    AddWarnings(std::move(change.warnings));
    return absl::OkStatus();
  }

  absl::Status NothingToDo() const {
    return MakeError(absl::StatusCode::kFailedPrecondition, "NOTHING_TO_DO",
                     absl::StrFormat("the recipe would change nothing: %s; give the float model, or another preset",
                                     WhyNothingToDo(input_)));
  }

  absl::Status Transform() {
    LATHE_ASSIGN_OR_RETURN(QuantizationChoice choice, Choose());
    context_.events.BeginPhase("pass", 0.55, 0.6, quantizing_.front());
    timer_.Begin("quantize");
    LATHE_ASSIGN_OR_RETURN(QuantizedModel quantized,
                           Quantize(choice.candidate, quantizing_, recipe_, choice.settings, context_.cancel));
    timer_.End();
    input_file_->ReleasePages();
    if (!quantized.changed()) return NothingToDo();
    model_ = std::move(quantized.model);
    std::move(quantized.steps.begin(), quantized.steps.end(), std::back_inserter(report_.plan));
    AddWarnings(std::move(choice.warnings));
    AddWarnings(std::move(quantized.warnings));
    report_.stages = std::move(choice.stages);
    report_.sensitivity = std::move(choice.sensitivity);
    if (choice.calibration.samples > 0) {
      report_.calibration = std::move(choice.calibration);
      report_.calibration->held_back = held_back_ != nullptr ? held_back_->size() : 0;
    }
    choice.fallback_reasons.merge(quantized.reasons);
    DescribeResult(choice.settings, choice.fallback_reasons);
    return CheckAgainstTargets(recipe_, model_, report_);
  }

  // While operators still know where they come from.
  void DescribeResult(const SettingsTable& settings, const std::map<int32_t, std::string>& reasons) {
    report_.graph = DescribeGraph(model_);
    report_.operators = DescribeOperators(model_, recipe_, &settings);
    for (OperatorReport& row : report_.operators) {
      if (row.subgraph != 0) continue;
      const int32_t origin = model_.subgraphs[0].ops[static_cast<size_t>(row.index)].origin;
      const auto reason = reasons.find(origin);
      if (origin >= 0 && reason != reasons.end()) row.reason = reason->second;
    }
  }

  // The model that is quantized, and how. Data-free schemes of an even model open no samples here.
  absl::StatusOr<QuantizationChoice> Choose() {
    if (!NeedsSamples()) {
      QuantizationChoice choice;
      choice.candidate.model = std::move(model_);
      choice.settings = settings_;
      return choice;
    }
    LATHE_RETURN_IF_ERROR(OpenSamplesOnce());
    ErrorTarget target(recipe_, spec_.gates());
    const bool decides = TriesCorrections(recipe_) || !target.empty() || spec_.sensitivity();
    const bool answers = held_back_ != nullptr && FitsToData() && IsAsRead();
    if (answers) {
      LATHE_ASSIGN_OR_RETURN(measurer_,
                             HeldBack::CreateUnanswered(input_, input_file_->bytes(), *held_back_, MeasureOptions()));
    } else if (held_back_ != nullptr && decides) {
      timer_.Begin("reference");
      LATHE_ASSIGN_OR_RETURN(measurer_, HeldBack::Create(input_, input_file_->bytes(), *held_back_, MeasureOptions()));
    }
    ChoiceInputs inputs{
        .recipe = recipe_,
        .passes = quantizing_,
        .calibration = *calibration_,
        .held_back = decides ? measurer_.get() : nullptr,
        .all = held_back_indices_.empty() ? nullptr : samples_.get(),
        .held_back_indices = held_back_indices_,
        .answering = answers ? measurer_.get() : nullptr,
        .calibrate = FitsToData(),
        .sensitivity = spec_.sensitivity(),
        .target = std::move(target),
        .threads = threads(),
        .memory_bytes = PlannedBytes(),
        .input_file = input_file_.get(),
        .scratch_dir = context_.job_dir + "/out",
        .cancel = context_.cancel,
        .begin = [this](const std::string& part) { BeginChoice(part); },
        .samples_done = [this](uint64_t done, uint64_t total) { context_.events.Samples(done, total); }};
    absl::StatusOr<QuantizationChoice> choice = ChooseQuantization(std::move(model_), settings_, inputs);
    timer_.End();
    return choice;
  }

  bool Calibrates() const {
    return std::find(quantizing_.begin(), quantizing_.end(), "quantize-full-integer") != quantizing_.end();
  }

  static bool IsOn(const std::optional<Correction>& setting) {
    return setting.value_or(Correction::kOff) != Correction::kOff;
  }

  // Schemes without ranges are corrected with data too, when there are some.
  bool FitsToData() const {
    const bool corrects = IsOn(recipe_.correct.equalization) || IsOn(recipe_.correct.rounding);
    return Calibrates() || (!spec_.calibration().empty() && UsesIntegers(recipe_) && corrects);
  }

  // Whether something must be run before the model can be quantized. Without data only equalization can be tried, and
  // it has nothing to win where channels are even, which they nearly always are.
  bool NeedsSamples() const {
    if (FitsToData() || recipe_.min_sqnr_db || spec_.sensitivity()) return true;
    return UsesIntegers(recipe_) && IsOn(recipe_.correct.equalization) && ChannelImbalance(model_) >= kImbalanceMin;
  }

  // Whether the passes so far left every value of the model as the file has it.
  bool IsAsRead() const {
    return std::all_of(report_.plan.begin(), report_.plan.end(),
                       [](const PlanStep& step) { return step.changed == 0 || step.pass == "drop-unused"; });
  }

  HeldBackOptions MeasureOptions() const {
    HeldBackOptions options;
    options.threads = threads();
    options.memory_bytes = kCompareBytesMax;
    options.reference_file = input_file_.get();
    options.cancel = context_.cancel;
    options.scratch_dir = context_.job_dir + "/out";
    return options;
  }

  // Parts of the choice share the phases that the protocol knows.
  void BeginChoice(const std::string& part) {
    const bool calibrates = part == "calibrate";
    context_.events.BeginPhase(calibrates ? "calibrate" : "pass", calibrates ? 0.05 : 0.3, calibrates ? 0.3 : 0.55,
                               calibrates ? "" : part);
    timer_.Begin(part);
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
    if (!IsSameModel(*output, model_)) return Broken("it does not hold what was written");
    LATHE_RETURN_IF_ERROR(CheckArtifact(input_, *output, report_.warnings));
    output_report_ = std::async(std::launch::async, DescribeFile, output_path_, spec_.benchmark());
    model_ = *std::move(output);  // drops the passes' buffers: from here on the file is the model
    output_size_ = std::async(std::launch::async, MeasureInArena, std::cref(model_), std::cref(*output_file_),
                              threads(), spec_.benchmark());
    report_.histograms = DescribeWeights(input_, model_);
    const size_t before = input_file_->bytes().size(), after = output_file_->bytes().size();
    if (after <= before) return absl::OkStatus();
    if (recipe_.allow_larger.value_or(false)) {
      report_.verdict.push_back(absl::StrFormat("larger than the input: %d bytes against %d", after, before));
      return absl::OkStatus();
    }
    return MakeError(absl::StatusCode::kFailedPrecondition, "LARGER_THAN_INPUT",
                     absl::StrFormat("the result would have %d bytes, the input has %d: its weights are too few or too "
                                     "small for this preset; try another one, or --allow-larger",
                                     after, before));
  }

  // Another thread than the job's own, which knows no limit of its threads.
  static absl::StatusOr<SizeOfModel> MeasureInArena(const Model& model, const MappedFile& file, int threads,
                                                    bool compressed) {
    return WithThreads(threads, [&] { return MeasureSize(model, file, compressed); });
  }

  static absl::Status Broken(absl::string_view what) {
    return MakeError(
        absl::StatusCode::kInternal, "ARTIFACT_BROKEN",
        absl::StrFormat("the written model does not verify (a defect in Lathe, please report it): %s", what));
  }

  absl::Status Compare() {
    context_.events.BeginPhase("compare", 0.65, spec_.evaluation().empty() ? 0.85 : 0.75);
    timer_.Begin("compare");
    LATHE_RETURN_IF_ERROR(OpenSamplesOnce());
    SampleSource& samples = held_back_ != nullptr ? *held_back_ : *samples_;
    LATHE_RETURN_IF_ERROR(samples.Rewind());
    CompareOptions options;
    options.threads = threads();
    options.memory_bytes = kCompareBytesMax;
    options.reference_file = input_file_.get();
    options.candidate_file = output_file_.get();
    options.cancel = context_.cancel;
    options.progress = [this](uint64_t done, uint64_t total) { context_.events.Samples(done, total); };
    ErrorReport& error = report_.error.emplace();
    error.synthetic = samples.synthetic();
    error.samples = samples.size();
    // Nothing was fitted to them; only where stages were tried did they decide something.
    error.held_back = held_back_ != nullptr && report_.stages.empty();
    if (measurer_ != nullptr) {
      LATHE_ASSIGN_OR_RETURN(HeldBackErrors found, measurer_->Measure(model_, *output_file_));
      error.outputs = std::move(found.errors);
    } else {
      LATHE_ASSIGN_OR_RETURN(
          error.outputs, CompareOutputs(input_, input_file_->bytes(), model_, output_file_->bytes(), samples, options));
    }
    for (const OutputError& output : error.outputs) {
      if (!output.sqnr_db) {
        report_.warnings.push_back(
            absl::StrFormat("output '%s' is zero on every sample: its error cannot be told", output.name));
      }
    }
    return absl::OkStatus();
  }

  absl::Status Evaluate() {
    if (spec_.evaluation().empty()) return absl::OkStatus();
    context_.events.BeginPhase("evaluate", 0.75, 0.85);
    timer_.Begin("evaluate");
    const AccuracyRequest request = {.data = spec_.evaluation(),
                                     .metric = spec_.metric(),
                                     .options = spec_.metric_options(),
                                     .samples = spec_.evaluation_samples(),
                                     .recipe = &recipe_};
    const std::vector<EvaluatedModel> models = {
        {input_, input_file_->bytes(), input_file_.get(), "the input model"},
        {model_, output_file_->bytes(), output_file_.get(), "the optimized model"}};
    return MeasureAccuracy(context_, request, models, report_);
  }

  absl::Status FindCauses() {
    if (!spec_.benchmark()) return absl::OkStatus();
    context_.events.BeginPhase("compare", 0.85, 0.87);
    timer_.Begin("causes");
    CompareModelsOptions options;
    options.threads = threads();
    options.cancel = context_.cancel;
    options.scratch_dir = context_.job_dir + "/out";
    options.probe_bytes_max = kCompareBytesMax;
    SampleSource& samples = held_back_ != nullptr ? *held_back_ : *samples_;
    return DescribeCauses({input_, *input_file_}, {model_, *output_file_}, samples, options, report_);
  }

  absl::Status Measure() {
    const bool benchmark = spec_.benchmark();
    context_.events.BeginPhase("benchmark", 0.87, 1);
    timer_.Begin("measure");
    // Both are done before the first timed run.
    LATHE_ASSIGN_OR_RETURN(report_.input, input_report_.get());
    LATHE_ASSIGN_OR_RETURN(report_.output, output_report_.get());
    SizeReport& size = report_.size.emplace();
    LATHE_ASSIGN_OR_RETURN(size.input, input_size_.get());
    LATHE_ASSIGN_OR_RETURN(size.output, output_size_.get());
    size.input->zstd_bytes = report_.input.zstd_bytes;
    size.output->zstd_bytes = report_.output->zstd_bytes;
    if (!benchmark) return absl::OkStatus();
    const BenchmarkModel models[] = {{&input_, input_file_->bytes()}, {&model_, output_file_->bytes()}};
    BenchmarkOptions options;
    options.threads = threads();
    options.cancel = context_.cancel;
    LATHE_RETURN_IF_ERROR(samples_->Rewind());
    LATHE_ASSIGN_OR_RETURN(const BenchmarkResult result, Benchmark(models, *samples_, options));
    report_.latency = MakeLatencyReport(result, options.threads);
    report_.memory = MakeMemoryReport(result, models);
    LATHE_RETURN_IF_ERROR(ProfileOutput(models[1], result.latencies[1].load_ms));
    if (Rank(*result.ratio) == LatencyRanking::kSlower) {
      report_.verdict.push_back(absl::StrFormat("slower than the input on this machine: %.3g ms against %.3g ms",
                                                report_.latency->output_ms, report_.latency->input_ms));
    }
    return absl::OkStatus();
  }

  // Loads the output once more, which large models are spared.
  absl::Status ProfileOutput(const BenchmarkModel& output, double load_ms) {
    if (load_ms >= kProfiledLoadMsMax) return absl::OkStatus();
    ProfileOptions options;
    options.threads = threads();
    options.runs_max = kProfileRunsMax;
    options.budget_ms = kProfileMsMax;
    options.cancel = context_.cancel;
    LATHE_ASSIGN_OR_RETURN(const ModelProfile profile, Profile(output, input_, *samples_, options));
    report_.profile.emplace().output = MakeProfileReport(model_, profile);
    FillOperatorTimes(*report_.profile->output, report_.operators);
    return absl::OkStatus();
  }

  absl::Status Describe() {
    context_.events.BeginPhase("benchmark", 1, 1);
    if (samples_ != nullptr) AddWarnings(samples_->FindValueWarnings());
    const std::vector<std::string> evaluation = std::move(report_.provenance.data_sha256);
    report_.provenance = JobProvenance(context_);
    std::vector<std::string>& data = report_.provenance.data_sha256;
    if (data_digest_.valid()) {
      LATHE_ASSIGN_OR_RETURN(const Digest digest, data_digest_.get());
      data.push_back(HexDigest(digest));
    }
    data.insert(data.end(), evaluation.begin(), evaluation.end());
    report_.provenance.recipe_sha256 = RecipeDigest(recipe_);
    report_.peak_rss_bytes = PeakRssBytes();
    return absl::OkStatus();
  }

  absl::Status OpenSamplesOnce() {
    if (samples_ != nullptr) return absl::OkStatus();
    LATHE_ASSIGN_OR_RETURN(samples_, OpenJobSamples(context_, input_, spec_.calibration(), &recipe_));
    const std::vector<std::string>& warnings = samples_->warnings();
    report_.warnings.insert(report_.warnings.end(), warnings.begin(), warnings.end());
    return SplitOnce();
  }

  // Which samples are fitted to and which decide. Where nothing is fitted all may decide.
  absl::Status SplitOnce() {
    calibration_ = samples_.get();
    const size_t held_back_max = recipe_.effort == Effort::kBest ? kHeldBackMaxBest : kHeldBackMax;
    if (!FitsToData()) {
      std::vector<size_t> all(std::min(samples_->size(), held_back_max));
      std::iota(all.begin(), all.end(), 0);
      LATHE_ASSIGN_OR_RETURN(held_back_, SelectSamples(*samples_, std::move(all), kHeldBackBytesMax));
      return absl::OkStatus();
    }
    if (samples_->synthetic()) {
      AddWarnings(
          {absl::StrFormat("calibrated on %d synthetic samples: ranges of real data will differ; give "
                           "--calibration",
                           samples_->size())});
      return absl::OkStatus();
    }
    const SampleSplit split = SplitSamples(samples_->size(), context_.spec.seed(), held_back_max);
    if (split.held_back.empty()) {
      AddWarnings(
          {absl::StrFormat("%d samples are too few to hold any back: corrections were not tried, and the error "
                           "is that of the calibration samples",
                           samples_->size())});
      return absl::OkStatus();
    }
    LATHE_ASSIGN_OR_RETURN(held_back_, SelectSamples(*samples_, split.held_back, kHeldBackBytesMax));
    held_back_indices_ = split.held_back;
    LATHE_ASSIGN_OR_RETURN(selected_, SelectSamples(*samples_, split.calibration, 0));
    calibration_ = selected_.get();
    return absl::OkStatus();
  }

  void AddWarnings(std::vector<std::string> warnings) {
    std::move(warnings.begin(), warnings.end(), std::back_inserter(report_.warnings));
  }

  // The parent ends a job that passes its budget, and plans rest on estimates: leave them a quarter.
  uint64_t PlannedBytes() const { return context_.spec.memory_bytes() / 4 * 3; }

  int threads() const { return std::max(1, static_cast<int>(context_.spec.threads())); }

  const JobContext& context_;
  const internal::v1::ExecutorSpec::Optimize& spec_;
  Recipe recipe_;
  std::string input_path_, output_path_;
  std::shared_ptr<const MappedFile> input_file_, output_file_;
  // Digests and compressed sizes, computed beside the other steps. Their destructors wait.
  std::future<absl::StatusOr<FileReport>> input_report_, output_report_;
  std::future<absl::StatusOr<Digest>> data_digest_;
  Model input_, model_;
  std::future<absl::StatusOr<SizeOfModel>> input_size_, output_size_;  // of the two above, so that they end before
  SettingsTable settings_;
  std::vector<std::string> quantizing_;  // passes of the plan from the first that quantizes on
  std::unique_ptr<SampleSource> samples_;
  std::unique_ptr<SampleSource> selected_, held_back_;  // parts of samples_, or null
  std::vector<size_t> held_back_indices_;               // in samples_, where some calibrate
  SampleSource* calibration_ = nullptr;                 // selected_ or samples_
  std::unique_ptr<HeldBack> measurer_;                  // knows the input's answers to held_back_; null: not needed
  Report report_;
  StepTimer timer_;
};

}  // namespace

absl::StatusOr<internal::v1::ExecutorResult> RunOptimize(const JobContext& context) {
  return OptimizeJob(context).Run();
}

}  // namespace lathe
