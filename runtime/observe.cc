#include "runtime/observe.h"

#include <malloc.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "runtime/exposed_model.h"
#include "runtime/memory_plan.h"
#include "runtime/sample_loop.h"

namespace lathe {

namespace {

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

class Observing {
 public:
  Observing(const Model& model, SampleSource& samples, const ObserveOptions& options,
            const std::function<Observer(int)>& make_observer)
      : model_(model), samples_(samples), options_(options), make_observer_(make_observer) {}

  absl::Status Run(const std::vector<TensorId>& tensors) {
    if (samples_.size() == 0) {
      return MakeError(absl::StatusCode::kInvalidArgument, "NO_SAMPLES", "there are no samples to calibrate with");
    }
    targets_ = ChooseTargets(model_, tensors);
    malloc_trim(0);  // what was measured before
    Plan();
    for (size_t group = 0; group < groups_.size(); ++group) {
      LATHE_RETURN_IF_ERROR(RunGroup(group));
      // Interpreters come from threads that are gone, whose heaps nobody fills again: 40 of mobilenet_v2's 150 MiB.
      malloc_trim(0);
    }
    return absl::OkStatus();
  }

 private:
  // All tensors at once and as many interpreters as are worth their memory; when not even one fits, groups on one
  // interpreter.
  void Plan() {
    uint64_t exposed = 0;
    for (TensorId id : targets_.activations) exposed += ActivationBytes(model_.subgraphs[0].tensor(id));
    const uint64_t bare = EstimateInterpreterBytes(model_);
    spread_ =
        PlanSpread(options_.threads, bare + exposed, std::min(options_.memory_bytes, kSpreadBytesMax), samples_.size());
    const uint64_t left = options_.memory_bytes > bare ? options_.memory_bytes - bare : 0;
    groups_ = GroupByBytes(model_, targets_.activations, std::max(left, uint64_t{1}));
    if (groups_.empty()) groups_.emplace_back();  // inputs only
  }

  absl::Status RunGroup(size_t group) {
    const Model exposed = ExposeTensors(model_, groups_[group]);
    LATHE_ASSIGN_OR_RETURN(const auto mapped,
                           MapForRuntime(exposed, options_.input, options_.scratch_dir + "/calibrate.tflite"));
    if (options_.input != nullptr) options_.input->ReleasePages();
    LATHE_RETURN_IF_ERROR(samples_.Rewind());
    ChooseShown(group, exposed.subgraphs[0]);
    SampleLoop loop;
    loop.workers = spread_.interpreters;
    loop.cancel = options_.cancel;
    loop.done_one = [this] { ReportProgress(); };
    return ForEachSample(samples_, loop, [&](int worker) -> absl::StatusOr<SampleWork> {
      InterpreterOptions interpreter_options;
      interpreter_options.threads = spread_.threads;
      interpreter_options.file = mapped.get();
      LATHE_ASSIGN_OR_RETURN(std::shared_ptr<Interpreter> interpreter,
                             Interpreter::Create(exposed, mapped->bytes(), interpreter_options));
      return SampleWork([this, group, interpreter, observe = make_observer_(worker)](const Sample& sample) {
        return RunSample(*interpreter, sample, group == 0, observe);
      });
    });
  }

  // Which inputs and outputs of the exposed model are shown in this pass: each tensor once, however often it is listed.
  void ChooseShown(size_t group, const Subgraph& exposed) {
    std::vector<bool> wanted(exposed.tensors.size(), false);
    for (TensorId id : groups_[group]) wanted[id.index()] = true;
    if (group == 0) {
      for (TensorId id : targets_.inputs) wanted[id.index()] = true;
    }
    const auto take = [&](const std::vector<TensorId>& ids) {
      std::vector<bool> shown;
      for (TensorId id : ids) {
        shown.push_back(wanted[id.index()]);
        wanted[id.index()] = false;
      }
      return shown;
    };
    show_input_ = take(exposed.inputs);
    show_output_ = take(exposed.outputs);
  }

  absl::Status RunSample(Interpreter& interpreter, const Sample& sample, bool first_pass, const Observer& observe) {
    const std::vector<size_t>& run_only = options_.run_only;
    const bool shown = !std::binary_search(run_only.begin(), run_only.end(), sample.index);
    if (!shown && !(first_pass && options_.after_run)) return absl::OkStatus();
    LATHE_RETURN_IF_ERROR(interpreter.ResetState());
    for (size_t i = 0; i < interpreter.inputs().size(); ++i) {
      LATHE_RETURN_IF_ERROR(interpreter.SetInput(i, sample.inputs[i]));
      if (!shown || !show_input_[i]) continue;
      LATHE_RETURN_IF_ERROR(Show(interpreter.inputs()[i], sample.inputs[i], sample.index, observe));
    }
    LATHE_RETURN_IF_ERROR(interpreter.Run());
    for (size_t i = 0; i < interpreter.outputs().size(); ++i) {
      if (!shown || !show_output_[i]) continue;
      LATHE_RETURN_IF_ERROR(Show(interpreter.outputs()[i], interpreter.Output(i), sample.index, observe));
    }
    if (first_pass && options_.after_run) options_.after_run(sample, interpreter);
    return absl::OkStatus();
  }

  static absl::Status Show(const TensorInfo& info, absl::Span<const uint8_t> bytes, size_t sample,
                           const Observer& observe) {
    if (bytes.empty()) return absl::OkStatus();
    return observe(
        {info.id, info.shape, {reinterpret_cast<const float*>(bytes.data()), bytes.size() / sizeof(float)}, sample});
  }

  void ReportProgress() {
    ++done_;
    if (options_.progress) options_.progress(done_, samples_.size() * groups_.size());
  }

  const Model& model_;
  SampleSource& samples_;
  const ObserveOptions& options_;
  const std::function<Observer(int)>& make_observer_;
  Targets targets_;
  Spread spread_;
  std::vector<std::vector<TensorId>> groups_;
  std::vector<bool> show_input_, show_output_;  // of the exposed model, in this pass
  uint64_t done_ = 0;                           // under the loop's lock
};

}  // namespace

absl::Status ObserveActivations(const Model& model, const std::vector<TensorId>& tensors, SampleSource& samples,
                                const ObserveOptions& options,
                                const std::function<Observer(int worker)>& make_observer) {
  return Observing(model, samples, options, make_observer).Run(tensors);
}

}  // namespace lathe
