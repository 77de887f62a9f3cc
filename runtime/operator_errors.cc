#include "runtime/operator_errors.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <memory>
#include <utility>

#include "common/parallel.h"
#include "runtime/exposed_model.h"
#include "runtime/interpreter.h"
#include "runtime/value_conversion.h"

namespace lathe {

namespace {

template <typename T>
void Dequantize(const TensorInfo& info, absl::Span<const uint8_t> bytes, std::vector<float>& out) {
  const bool quantized = info.scale > 0;
  const double scale = quantized ? double{info.scale} : 1;
  const auto zero_point = quantized ? static_cast<double>(info.zero_point) : 0;
  for (size_t i = 0; i < out.size(); ++i) {
    T value;
    std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
    out[i] = static_cast<float>((static_cast<double>(value) - zero_point) * scale);
  }
}

// Values as real numbers: a view of floats, else `held` holds them.
absl::Span<const float> RealValues(const TensorInfo& info, absl::Span<const uint8_t> bytes, std::vector<float>& held) {
  if (info.type == TensorType::kFloat32) {
    return {reinterpret_cast<const float*>(bytes.data()), bytes.size() / sizeof(float)};
  }
  held.resize(static_cast<size_t>(info.elements));
  switch (info.type) {
    case TensorType::kInt8:
      Dequantize<int8_t>(info, bytes, held);
      break;
    case TensorType::kUint8:
      Dequantize<uint8_t>(info, bytes, held);
      break;
    case TensorType::kInt16:
      Dequantize<int16_t>(info, bytes, held);
      break;
    default:
      for (size_t i = 0; i < held.size(); ++i) held[i] = static_cast<float>(RealValue(info, bytes, i));
  }
  return held;
}

// What a tensor of an integer type can hold.
std::pair<double, double> GridOf(const TensorInfo& info) {
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  const bool integer =
      info.type == TensorType::kInt8 || info.type == TensorType::kUint8 || info.type == TensorType::kInt16;
  if (!integer || info.scale <= 0) return {-kInfinite, kInfinite};
  const int bits = TypeBits(info.type);
  const bool is_signed = info.type != TensorType::kUint8;
  const double low = is_signed ? -std::ldexp(1, bits - 1) : 0, high = std::ldexp(1, is_signed ? bits - 1 : bits) - 1;
  const auto zero = static_cast<double>(info.zero_point);
  return {(low - zero) * double{info.scale}, (high - zero) * double{info.scale}};
}

// Drops what runs after the last of `tensors`, which become the only outputs: a part of the operators is measured
// without running the rest. REQUIRES: operators write the tensors; not empty.
void EndAfter(const std::vector<TensorId>& tensors, Model& model) {
  Subgraph& graph = model.subgraphs[0];
  size_t count = 0;
  for (size_t i = 0; i < graph.ops.size(); ++i) {
    for (TensorId id : graph.ops[i].outputs) {
      if (std::count(tensors.begin(), tensors.end(), id) > 0) count = i + 1;
    }
  }
  graph.ops.resize(count);
  graph.outputs = tensors;
}

// A copy of a model in which chosen tensors can be read, loaded. No tensors: its own outputs.
class Observed {
 public:
  absl::Status Load(const Model& model, const std::vector<TensorId>& tensors, const std::string& path, int threads) {
    Model exposed = ExposeTensors(model, tensors);
    if (!tensors.empty()) EndAfter(tensors, exposed);
    const ScratchFile file(path);
    LATHE_ASSIGN_OR_RETURN(mapped_, file.Write(exposed));
    InterpreterOptions options;
    options.threads = threads;
    options.file = mapped_.get();
    LATHE_ASSIGN_OR_RETURN(interpreter_, Interpreter::Create(exposed, mapped_->bytes(), options));
    for (size_t i = 0; i < interpreter_->outputs().size(); ++i) outputs_.emplace(interpreter_->outputs()[i].id, i);
    for (size_t i = 0; i < interpreter_->inputs().size(); ++i) inputs_.emplace(interpreter_->inputs()[i].id, i);
    given_.resize(interpreter_->inputs().size());
    return absl::OkStatus();
  }

  Interpreter& interpreter() { return *interpreter_; }
  absl::Status Run(const std::vector<TensorInfo>& from, const Sample& sample) {
    LATHE_RETURN_IF_ERROR(interpreter_->ResetState());
    for (size_t i = 0; i < from.size(); ++i) {
      LATHE_RETURN_IF_ERROR(ConvertInput(from[i], sample.inputs[i], interpreter_->inputs()[i], &given_[i]));
      LATHE_RETURN_IF_ERROR(interpreter_->SetInput(i, given_[i]));
    }
    return interpreter_->Run();
  }

  struct Value {
    const TensorInfo* info = nullptr;
    absl::Span<const uint8_t> bytes;
  };
  // Of the last run. Null info: not there.
  Value Find(TensorId id) const {
    if (const auto input = inputs_.find(id); input != inputs_.end()) {
      return {&interpreter_->inputs()[input->second], given_[input->second]};
    }
    if (const auto output = outputs_.find(id); output != outputs_.end()) {
      return {&interpreter_->outputs()[output->second], interpreter_->Output(output->second)};
    }
    return {};
  }

 private:
  std::shared_ptr<const MappedFile> mapped_;
  std::unique_ptr<Interpreter> interpreter_;
  std::map<TensorId, size_t> inputs_, outputs_;
  std::vector<std::vector<uint8_t>> given_;
};

// The values of one output on one sample. Equal spans where a step does nothing.
struct Steps {
  absl::Span<const float> y, q, own, weights, all;
};

// Adds one output's elements. `inverse`: 1 / factor, by last dimension.
void AddTotals(const Steps& steps, absl::Span<const float> inverse, OperatorErrors& errors) {
  for (size_t i = 0, at = 0; i < steps.y.size(); ++i) {
    const double y = double{steps.y[i]};
    const double e = double{steps.q[i]} * double{inverse[at]} - y;
    if (++at == inverse.size()) at = 0;
    errors.signal += y * y;
    errors.total += e * e;
  }
}

void AddSteps(const Steps& steps, absl::Span<const float> inverse, std::pair<double, double> grid,
              OperatorErrors& errors) {
  for (size_t i = 0, at = 0, channel = 0; i < steps.y.size(); ++i) {
    const double scale = double{inverse[at]};
    if (++at == inverse.size()) at = 0;
    const double y = double{steps.y[i]}, own = double{steps.own[i]} * scale, weights = double{steps.weights[i]} * scale;
    const double v = double{steps.all[i]}, all = v * scale;
    const double held = std::clamp(v, grid.first, grid.second);
    const double clip = (held - v) * scale, round = (double{steps.q[i]} - held) * scale;
    errors.accumulated += (own - y) * (own - y);
    errors.channel_signal[channel] += y * y;
    errors.weights[channel] += (weights - own) * (weights - own);
    if (++channel == errors.weights.size()) channel = 0;
    errors.bias += (all - weights) * (all - weights);
    errors.weights_and_bias += (all - own) * (all - own);
    errors.without_bias += (weights - y) * (weights - y);
    errors.with_bias += (all - y) * (all - y);
    errors.clipping += clip * clip;
    errors.rounding += round * round;
    errors.clipped += held == v ? 0 : 1;
    errors.low = std::min(errors.low, v);
    errors.high = std::max(errors.high, v);
  }
  errors.elements += static_cast<int64_t>(steps.y.size());
  errors.grid_low = grid.first;
  errors.grid_high = grid.second;
}

bool IsFinite(const OperatorErrors& errors) {
  double sum = errors.signal + errors.total + errors.accumulated + errors.bias + errors.clipping + errors.rounding +
               errors.weights_and_bias + errors.without_bias + errors.with_bias;
  for (double part : errors.weights) sum += part;
  return std::isfinite(sum);
}

class Measurement {
 public:
  Measurement(absl::Span<const MeasuredOperator> operators, const OperatorErrorOptions& options)
      : operators_(operators), options_(options) {
    for (const MeasuredOperator& op : operators_) {
      OperatorErrors& errors = errors_.emplace_back();
      errors.split = op.conversion || !op.own.empty();
      errors.weights.assign(std::max<size_t>(op.weight_channels, 1), 0.0);
      errors.channel_signal = errors.weights;
    }
  }

  absl::Status Load(const Model& reference, const Model& candidate, const Model& probe) {
    std::vector<TensorId> of_reference, of_candidate;
    for (const MeasuredOperator& op : operators_) {
      of_reference.insert(of_reference.end(), op.reference_outputs.begin(), op.reference_outputs.end());
      of_candidate.insert(of_candidate.end(), op.candidate_outputs.begin(), op.candidate_outputs.end());
      of_candidate.insert(of_candidate.end(), op.candidate_inputs.begin(), op.candidate_inputs.end());
    }
    const std::string folder = options_.scratch_dir + "/";
    LATHE_ASSIGN_OR_RETURN(inputs_, DescribeInputs(reference));
    LATHE_RETURN_IF_ERROR(Annotate(reference_.Load(reference, Written(reference, std::move(of_reference)),
                                                   folder + "reference.tflite", options_.threads),
                                   "the reference model"));
    LATHE_RETURN_IF_ERROR(Annotate(candidate_.Load(candidate, Written(candidate, std::move(of_candidate)),
                                                   folder + "compared.tflite", options_.threads),
                                   "the model that is compared"));
    has_probe_ = !probe.subgraphs[0].ops.empty();
    if (!has_probe_) return absl::OkStatus();
    return Annotate(probe_.Load(probe, {}, folder + "probe.tflite", options_.threads), "the probe of single operators");
  }

  absl::Status Run(SampleSource& samples) {
    LATHE_RETURN_IF_ERROR(samples.Rewind());
    Sample sample;
    for (uint64_t done = 0;; ++done) {
      LATHE_RETURN_IF_ERROR(options_.cancel.Check());
      LATHE_ASSIGN_OR_RETURN(const bool more, samples.Next(&sample));
      if (!more) break;
      LATHE_RETURN_IF_ERROR(RunSample(sample));
      if (options_.progress) options_.progress(done + 1, samples.size());
    }
    return absl::OkStatus();
  }

  std::vector<OperatorErrors> Take() {
    for (OperatorErrors& errors : errors_) {
      if (!IsFinite(errors)) errors = OperatorErrors();
    }
    return std::move(errors_);
  }

 private:
  // Those that operators write, each once: inputs are known anyway.
  static std::vector<TensorId> Written(const Model& model, std::vector<TensorId> tensors) {
    const std::vector<TensorId>& inputs = model.subgraphs[0].inputs;
    std::sort(tensors.begin(), tensors.end());
    tensors.erase(std::unique(tensors.begin(), tensors.end()), tensors.end());
    tensors.erase(std::remove_if(tensors.begin(), tensors.end(),
                                 [&](TensorId id) { return std::count(inputs.begin(), inputs.end(), id) > 0; }),
                  tensors.end());
    return tensors;
  }

  absl::Status RunSample(const Sample& sample) {
    LATHE_RETURN_IF_ERROR(Annotate(reference_.Run(inputs_, sample), "the reference model"));
    LATHE_RETURN_IF_ERROR(Annotate(candidate_.Run(inputs_, sample), "the model that is compared"));
    if (has_probe_) {
      LATHE_RETURN_IF_ERROR(RunProbe());
    }
    ParallelFor(operators_.size(), [&](size_t i) { Add(operators_[i], errors_[i]); });
    return absl::OkStatus();
  }

  absl::Status RunProbe() {
    Interpreter& probe = probe_.interpreter();
    LATHE_RETURN_IF_ERROR(probe.ResetState());
    std::vector<float> held;
    for (size_t i = 0; i < operators_.size(); ++i) {
      const MeasuredOperator& op = operators_[i];
      for (size_t k = 0; k < op.probe_inputs.size(); ++k) {
        const TensorInfo& to = probe.inputs()[op.probe_inputs[k]];
        const Observed::Value value = candidate_.Find(op.candidate_inputs[k]);
        LATHE_RETURN_IF_ERROR(Feed(value, to, op.probe_inputs[k], held, errors_[i].split));
      }
    }
    return probe_.interpreter().Run();
  }

  // Zeros where the sizes differ: something must be there, and the operator is not split.
  absl::Status Feed(const Observed::Value& value, const TensorInfo& to, size_t input, std::vector<float>& held,
                    bool& split) {
    if (value.info == nullptr || value.info->elements != to.elements) {
      split = false;
      return probe_.interpreter().SetInput(input, std::vector<uint8_t>(to.size_bytes));
    }
    if (to.type != TensorType::kFloat32) {
      split = split && value.bytes.size() == to.size_bytes && value.info->type == to.type;
      if (!split) return probe_.interpreter().SetInput(input, std::vector<uint8_t>(to.size_bytes));
      return probe_.interpreter().SetInput(input, value.bytes);
    }
    const absl::Span<const float> values = RealValues(*value.info, value.bytes, held);
    return probe_.interpreter().SetInput(
        input, {reinterpret_cast<const uint8_t*>(values.data()), values.size() * sizeof(float)});
  }

  void Add(const MeasuredOperator& op, OperatorErrors& errors) {
    std::vector<float> inverse = {1.0f};
    if (!op.factors.empty()) {
      inverse.clear();
      for (float factor : op.factors) inverse.push_back(1 / factor);
    }
    for (size_t k = 0; k < op.reference_outputs.size(); ++k) {
      const Observed::Value y = reference_.Find(op.reference_outputs[k]), q = candidate_.Find(op.candidate_outputs[k]);
      if (y.info == nullptr || q.info == nullptr || y.info->elements != q.info->elements) continue;
      std::vector<float> held[5];
      Steps steps;
      steps.y = RealValues(*y.info, y.bytes, held[0]);
      steps.q = RealValues(*q.info, q.bytes, held[1]);
      AddTotals(steps, inverse, errors);
      if (!errors.split) continue;
      if (op.conversion) {
        const Observed::Value x = op.candidate_inputs.empty() ? y : candidate_.Find(op.candidate_inputs[0]);
        if (x.info != nullptr) steps.own = RealValues(*x.info, x.bytes, held[2]);
      } else {
        steps.own = ProbeOutput(op.own[k], held[2]);
      }
      steps.weights = op.weights.empty() ? steps.own : ProbeOutput(op.weights[k], held[3]);
      steps.all = op.all.empty() ? steps.weights : ProbeOutput(op.all[k], held[4]);
      const size_t size = steps.y.size();
      if (steps.own.size() != size || steps.weights.size() != size || steps.all.size() != size) {
        errors.split = false;
        continue;
      }
      AddSteps(steps, inverse, GridOf(*q.info), errors);
    }
  }

  absl::Span<const float> ProbeOutput(size_t index, std::vector<float>& held) {
    Interpreter& probe = probe_.interpreter();
    return RealValues(probe.outputs()[index], probe.Output(index), held);
  }

  const absl::Span<const MeasuredOperator> operators_;
  const OperatorErrorOptions& options_;
  std::vector<TensorInfo> inputs_;  // of the reference
  Observed reference_, candidate_, probe_;
  bool has_probe_ = false;
  std::vector<OperatorErrors> errors_;
};

}  // namespace

absl::StatusOr<std::vector<OperatorErrors>> MeasureOperatorErrors(const Model& reference, const Model& candidate,
                                                                  const Model& probe,
                                                                  absl::Span<const MeasuredOperator> operators,
                                                                  SampleSource& samples,
                                                                  const OperatorErrorOptions& options) {
  Measurement measurement(operators, options);
  LATHE_RETURN_IF_ERROR(measurement.Load(reference, candidate, probe));
  LATHE_RETURN_IF_ERROR(measurement.Run(samples));
  return measurement.Take();
}

}  // namespace lathe
