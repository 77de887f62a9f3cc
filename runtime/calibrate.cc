#include "runtime/calibrate.h"

#include <algorithm>
#include <memory>
#include <mutex>
#include <utility>

#include "runtime/exposed_model.h"
#include "runtime/find_range.h"
#include "runtime/interpreter.h"
#include "runtime/memory_plan.h"
#include "runtime/sample_loop.h"

namespace lathe {

namespace {

absl::Span<const float> AsFloats(absl::Span<const uint8_t> bytes) {
  return {reinterpret_cast<const float*>(bytes.data()), bytes.size() / sizeof(float)};
}

struct Targets {
  std::vector<TensorId> inputs;       // of the graph: read from the samples themselves
  std::vector<TensorId> activations;  // to be made outputs
};

Targets ChooseTargets(const Model& model, const std::vector<TensorId>& tensors) {
  const Subgraph& subgraph = model.subgraphs[0];
  const std::vector<bool> is_activation = FindActivations(model);
  std::vector<bool> seen(subgraph.tensors.size(), false);
  Targets targets;
  for (TensorId id : tensors) {
    const Tensor& tensor = subgraph.tensor(id);
    if (seen[id.index()] || tensor.type != TensorType::kFloat32) continue;
    seen[id.index()] = true;
    if (!is_activation[id.index()] || tensor.is_variable || model.IsConstant(tensor)) continue;
    const bool is_input = std::count(subgraph.inputs.begin(), subgraph.inputs.end(), id) > 0;
    (is_input ? targets.inputs : targets.activations).push_back(id);
  }
  return targets;
}

class Calibration {
 public:
  Calibration(const Model& model, SampleSource& samples, const CalibrateOptions& options)
      : model_(model), samples_(samples), options_(options) {}

  absl::StatusOr<RangeTable> Run(const std::vector<TensorId>& tensors) {
    if (samples_.size() == 0) {
      return MakeError(absl::StatusCode::kInvalidArgument, "NO_SAMPLES", "there are no samples to calibrate with");
    }
    targets_ = ChooseTargets(model_, tensors);
    Plan();
    for (size_t group = 0; group < groups_.size(); ++group) LATHE_RETURN_IF_ERROR(RunGroup(group));
    return ranges_;
  }

 private:
  // All tensors at once and as many interpreters as fit; when not even one fits, groups on one interpreter.
  void Plan() {
    uint64_t exposed = 0;
    for (TensorId id : targets_.activations) exposed += ActivationBytes(model_.subgraphs[0].tensor(id));
    const uint64_t bare = EstimateInterpreterBytes(model_);
    spread_ = PlanSpread(options_.threads, bare + exposed, options_.memory_bytes, samples_.size());
    const uint64_t left = options_.memory_bytes > bare ? options_.memory_bytes - bare : 0;
    groups_ = GroupByBytes(model_, targets_.activations, std::max(left, uint64_t{1}));
    if (groups_.empty()) groups_.emplace_back();  // inputs only
  }

  absl::Status RunGroup(size_t group) {
    const Model exposed = ExposeTensors(model_, groups_[group]);
    const ScratchFile file(options_.scratch_dir + "/calibrate.tflite");
    LATHE_ASSIGN_OR_RETURN(const auto mapped, file.Write(exposed));
    LATHE_RETURN_IF_ERROR(samples_.Rewind());
    SampleLoop loop;
    loop.workers = spread_.interpreters;
    loop.cancel = options_.cancel;
    loop.done_one = [this] { ReportProgress(); };
    return ForEachSample(samples_, loop, [&](int) -> absl::StatusOr<SampleWork> {
      InterpreterOptions interpreter_options;
      interpreter_options.threads = spread_.threads;
      LATHE_ASSIGN_OR_RETURN(std::shared_ptr<Interpreter> interpreter,
                             Interpreter::Create(exposed, mapped->bytes(), interpreter_options));
      return SampleWork(
          [this, group, interpreter](const Sample& sample) { return ObserveSample(*interpreter, sample, group); });
    });
  }

  absl::Status ObserveSample(Interpreter& interpreter, const Sample& sample, size_t group) {
    LATHE_RETURN_IF_ERROR(interpreter.ResetState());
    RangeTable ranges;
    for (size_t i = 0; i < interpreter.inputs().size(); ++i) {
      const TensorInfo& info = interpreter.inputs()[i];
      LATHE_RETURN_IF_ERROR(interpreter.SetInput(i, sample.inputs[i]));
      if (group > 0 || !Contains(targets_.inputs, info.id)) continue;
      LATHE_RETURN_IF_ERROR(Observe(info.id, sample.inputs[i], sample.index, &ranges));
    }
    LATHE_RETURN_IF_ERROR(interpreter.Run());
    for (size_t i = 0; i < interpreter.outputs().size(); ++i) {
      const TensorId id = interpreter.outputs()[i].id;
      if (!Contains(groups_[group], id)) continue;
      LATHE_RETURN_IF_ERROR(Observe(id, interpreter.Output(i), sample.index, &ranges));
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    ranges_.Merge(ranges);
    return absl::OkStatus();
  }

  absl::Status Observe(TensorId id, absl::Span<const uint8_t> bytes, size_t sample, RangeTable* ranges) const {
    if (bytes.empty()) return absl::OkStatus();
    TensorRange range;
    if (!FindRange(AsFloats(bytes), &range)) {
      return MakeError(absl::StatusCode::kInvalidArgument, "ACTIVATION_NOT_FINITE",
                       absl::StrFormat("%s becomes NaN or infinite on sample %d: check the data's range (--scale, "
                                       "--mean, --input-range) and the model",
                                       Where(SubgraphId(0), id, model_.subgraphs[0].tensor(id)), sample));
    }
    ranges->Merge(id, range.min, range.max);
    return absl::OkStatus();
  }

  static bool Contains(const std::vector<TensorId>& ids, TensorId id) {
    return std::find(ids.begin(), ids.end(), id) != ids.end();
  }

  void ReportProgress() {
    ++done_;
    if (options_.progress) options_.progress(done_, samples_.size() * groups_.size());
  }

  const Model& model_;
  SampleSource& samples_;
  const CalibrateOptions& options_;
  Targets targets_;
  Spread spread_;
  std::vector<std::vector<TensorId>> groups_;
  uint64_t done_ = 0;  // under the loop's lock
  std::mutex mutex_;   // guards ranges_
  RangeTable ranges_;
};

}  // namespace

absl::StatusOr<RangeTable> Calibrate(const Model& model, const std::vector<TensorId>& tensors, SampleSource& samples,
                                     const CalibrateOptions& options) {
  return Calibration(model, samples, options).Run(tensors);
}

}  // namespace lathe
