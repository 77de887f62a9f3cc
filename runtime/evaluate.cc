#include "runtime/evaluate.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <utility>

#include "runtime/memory_plan.h"
#include "runtime/metrics/accuracy.h"
#include "runtime/metrics/metric.h"
#include "runtime/predictions.h"
#include "runtime/run_sample.h"
#include "runtime/sample_loop.h"
#include "runtime/value_conversion.h"

namespace lathe {
namespace {

using Values = std::vector<std::vector<double>>;  // of each input or output

absl::Status Invalid(std::string_view reason, std::string_view what) {
  return MakeError(absl::StatusCode::kInvalidArgument, reason, what);
}

// The tensor's values as real numbers.
void ReadValues(const TensorInfo& info, absl::Span<const uint8_t> bytes, std::vector<double>* values) {
  values->resize(static_cast<size_t>(info.elements));
  for (size_t i = 0; i < values->size(); ++i) {
    if (info.type == TensorType::kFloat32) {  // nearly always
      float value;
      memcpy(&value, bytes.data() + i * sizeof value, sizeof value);
      (*values)[i] = static_cast<double>(value);
    } else {
      (*values)[i] = RealValue(info, bytes, i);
    }
  }
}

// What all threads share.
class Evaluation {
 public:
  Evaluation(absl::Span<const EvaluatedModel> models, SampleSource& samples, const EvaluateOptions& options)
      : models_(models), samples_(samples), options_(options), info_(*FindMetric(options.metric)) {}

  absl::StatusOr<AccuracyReport> Run() {
    if (samples_.size() == 0) return Invalid("NO_SAMPLES", "there are no samples to evaluate on");
    if (!info_.needs_labels && models_.size() < 2) {
      return Invalid(
          "METRIC_NEEDS_TWO",
          absl::StrFormat("%s compares two models: name the other one (--against), or take a metric that uses "
                          "labels",
                          options_.metric));
    }
    LATHE_RETURN_IF_ERROR(Bind());
    LATHE_RETURN_IF_ERROR(samples_.Rewind());
    LATHE_RETURN_IF_ERROR(RunAll());
    for (const auto& writer : writers_) LATHE_RETURN_IF_ERROR(writer->Finish());
    return DescribeAccuracy(options_.metric, *metric_, std::move(scores_), options_.seed);
  }

 private:
  absl::Status Bind() {
    LATHE_ASSIGN_OR_RETURN(inputs_, DescribeInputs(models_[0].model));
    LATHE_ASSIGN_OR_RETURN(outputs_, DescribeOutputs(models_[0].model));
    metric_ = MakeMetric(options_.metric, options_.metric_options);
    LATHE_RETURN_IF_ERROR(metric_->Bind(inputs_, outputs_));
    scores_.assign(models_.size(), SampleScores(samples_.size()));
    for (size_t m = 0; m < models_.size(); ++m) {
      LATHE_ASSIGN_OR_RETURN(const std::vector<TensorInfo> inputs, DescribeInputs(models_[m].model));
      LATHE_ASSIGN_OR_RETURN(const std::vector<TensorInfo> outputs, DescribeOutputs(models_[m].model));
      LATHE_RETURN_IF_ERROR(CheckPairs(inputs_, inputs, "input"));
      LATHE_RETURN_IF_ERROR(CheckPairs(outputs_, outputs, "output"));
      if (options_.predictions_folder.empty()) continue;
      LATHE_ASSIGN_OR_RETURN(
          auto writer, PredictionWriter::Create(options_.predictions_folder, m == 0 ? "model" : "against", outputs_,
                                                samples_.size()));
      writers_.push_back(std::move(writer));
    }
    return absl::OkStatus();
  }

  absl::Status RunAll() {
    uint64_t bytes_each = 0;
    for (const EvaluatedModel& model : models_) bytes_each += EstimateInterpreterBytes(model.model);
    spread_ = PlanSpread(options_.threads, bytes_each, options_.memory_bytes, samples_.size());
    uint64_t done = 0;
    SampleLoop loop;
    loop.workers = spread_.interpreters;
    loop.cancel = options_.cancel;
    loop.done_one = [this, &done] {
      ++done;
      if (options_.progress) options_.progress(done, samples_.size());
    };
    return ForEachSample(samples_, loop, [this](int) { return MakeWorker(); });
  }

  // A thread's own interpreters and buffers.
  struct Worker {
    std::vector<std::unique_ptr<Interpreter>> interpreters;
    Values inputs;
    std::vector<Values> outputs;  // of each model
    std::vector<double> labels;
  };

  absl::StatusOr<SampleWork> MakeWorker() {
    auto worker = std::make_shared<Worker>();
    for (const EvaluatedModel& model : models_) {
      InterpreterOptions options;
      options.threads = spread_.threads;
      options.file = model.file;
      LATHE_ASSIGN_OR_RETURN(auto interpreter, Interpreter::Create(model.model, model.bytes, options));
      worker->interpreters.push_back(std::move(interpreter));
    }
    worker->outputs.resize(models_.size());
    return SampleWork([this, worker](const Sample& sample) -> absl::Status {
      return Annotate(Work(sample, *worker), absl::StrFormat("sample %d", sample.index));
    });
  }

  absl::Status Work(const Sample& sample, Worker& worker) {
    for (size_t m = 0; m < models_.size(); ++m) {
      LATHE_RETURN_IF_ERROR(Annotate(RunSample(inputs_, sample, *worker.interpreters[m]), models_[m].what));
      LATHE_RETURN_IF_ERROR(Annotate(ReadOutputs(*worker.interpreters[m], &worker.outputs[m]), models_[m].what));
    }
    if (metric_->needs_inputs()) {
      worker.inputs.resize(inputs_.size());
      for (size_t i = 0; i < inputs_.size(); ++i) ReadValues(inputs_[i], sample.inputs[i], &worker.inputs[i]);
    }
    LATHE_RETURN_IF_ERROR(ReadLabels(sample, &worker.labels));
    for (size_t m = 0; m < models_.size(); ++m) LATHE_RETURN_IF_ERROR(Score(sample.index, m, worker));
    return absl::OkStatus();
  }

  absl::Status Score(size_t index, size_t model, const Worker& worker) {
    MetricSample seen;
    seen.index = index;
    seen.inputs = worker.inputs;
    seen.outputs = worker.outputs[model];
    if (!info_.needs_labels) seen.reference = worker.outputs[0];
    seen.labels = worker.labels;
    LATHE_ASSIGN_OR_RETURN(scores_[model][index], metric_->Score(seen));  // no other thread has this sample
    if (writers_.empty()) return absl::OkStatus();
    return writers_[model]->Write(index, worker.outputs[model], metric_->Answers(seen));
  }

  absl::Status ReadOutputs(const Interpreter& interpreter, Values* values) const {
    values->resize(interpreter.outputs().size());
    for (size_t i = 0; i < values->size(); ++i) {
      ReadValues(interpreter.outputs()[i], interpreter.Output(i), &(*values)[i]);
      const auto& read = (*values)[i];
      if (std::all_of(read.begin(), read.end(), [](double value) { return std::isfinite(value); })) continue;
      return MakeError(absl::StatusCode::kFailedPrecondition, "OUTPUT_NOT_FINITE",
                       absl::StrFormat("output '%s' is NaN or infinite", DisplayName(outputs_[i])));
    }
    return absl::OkStatus();
  }

  absl::Status ReadLabels(const Sample& sample, std::vector<double>* labels) const {
    labels->clear();
    if (!info_.needs_labels || !samples_.labels()) return absl::OkStatus();
    const MetricOptions& meaning = options_.metric_options;
    for (size_t i = 0; i < samples_.labels()->elements; ++i) {
      const double label = NumberAt(samples_.labels()->type, sample.label, i);
      if (!std::isfinite(label)) return Invalid("LABELS_INVALID", "a label is NaN or infinite");
      labels->push_back(label * meaning.label_scale + meaning.label_offset);
    }
    return absl::OkStatus();
  }

  const absl::Span<const EvaluatedModel> models_;
  SampleSource& samples_;
  const EvaluateOptions& options_;
  const MetricInfo& info_;
  std::unique_ptr<Metric> metric_;
  std::vector<TensorInfo> inputs_, outputs_;  // of the first model
  std::vector<std::unique_ptr<PredictionWriter>> writers_;
  Spread spread_;
  std::vector<SampleScores> scores_;  // of each model
};

}  // namespace

absl::StatusOr<AccuracyReport> Evaluate(absl::Span<const EvaluatedModel> models, SampleSource& samples,
                                        const EvaluateOptions& options) {
  return Evaluation(models, samples, options).Run();
}

}  // namespace lathe
