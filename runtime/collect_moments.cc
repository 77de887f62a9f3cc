#include "runtime/collect_moments.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>

#include "common/parallel.h"
#include "optimizer/math/patches.h"
#include "optimizer/math/products.h"
#include "optimizer/model/op_options.h"
#include "runtime/exposed_model.h"
#include "runtime/interpreter.h"
#include "runtime/memory_plan.h"
#include "runtime/sample_loop.h"
#include "runtime/value_conversion.h"

namespace lathe {
namespace {

// How one operator walks over its data.
struct Layer {
  math::PatchGeometry geometry;
  bool depthwise = false;
  int64_t outputs = 0;  // channels that it writes

  int64_t k() const { return depthwise ? geometry.patch_size() / geometry.channels : geometry.patch_size(); }
};

std::optional<Layer> DescribeConvolution(const Op& op, const std::vector<int32_t>& data,
                                         const std::vector<int32_t>& weights) {
  const std::optional<ConvOptions> options = GetConvOptions(op);
  if (!options || data.size() != 4 || weights.size() != 4) return std::nullopt;
  Layer layer;
  layer.depthwise = op.kind == OpKind::kDepthwiseConv2d;
  layer.outputs = layer.depthwise ? weights[3] : weights[0];
  layer.geometry.batches = data[0];
  layer.geometry.channels = data[3];
  const std::optional<math::Window> rows =
      math::MakeWindow(data[1], weights[1], options->stride_h, options->dilation_h, options->same_padding);
  const std::optional<math::Window> columns =
      math::MakeWindow(data[2], weights[2], options->stride_w, options->dilation_w, options->same_padding);
  if (!rows || !columns || data[0] < 1 || data[3] < 1 || layer.outputs < 1) return std::nullopt;
  // A grouped convolution has fewer channels in its weights than in its data.
  if (layer.depthwise ? layer.outputs % data[3] != 0 : weights[3] != data[3]) return std::nullopt;
  layer.geometry.rows = *rows;
  layer.geometry.columns = *columns;
  return layer;
}

// Nullopt: not an operator whose moments can be collected. `data` is the shape of its data operand as it runs.
std::optional<Layer> DescribeLayer(const Model& model, const Op& op, const std::vector<int32_t>& data) {
  const std::vector<int32_t>& weights = model.subgraphs[0].tensor(op.input(1)).shape;
  if (op.kind != OpKind::kFullyConnected) return DescribeConvolution(op, data, weights);
  if (weights.size() != 2 || weights[0] < 1 || weights[1] < 1) return std::nullopt;
  int64_t elements = 1;
  for (int32_t dimension : data) elements *= dimension;
  if (elements < 1 || elements % weights[1] != 0) return std::nullopt;
  Layer layer;
  layer.outputs = weights[0];
  layer.geometry.channels = weights[1];
  layer.geometry.batches = elements / weights[1];
  return layer;
}

std::vector<int32_t> RunShape(const Tensor& tensor) {
  std::vector<int32_t> shape = tensor.shape;
  for (int32_t& dimension : shape) dimension = std::max(dimension, 1);
  return shape;
}

bool HasReadableType(const Tensor& tensor) {
  if (tensor.type == TensorType::kFloat32) return true;
  const bool integer =
      tensor.type == TensorType::kInt8 || tensor.type == TensorType::kUint8 || tensor.type == TensorType::kInt16;
  return integer && tensor.quantization.scale.size() == 1;
}

bool CanCollect(const Model& model, const std::vector<bool>& is_activation, const Op& op) {
  if (op.kind != OpKind::kConv2d && op.kind != OpKind::kDepthwiseConv2d && op.kind != OpKind::kFullyConnected) {
    return false;
  }
  const Subgraph& subgraph = model.subgraphs[0];
  const TensorId data = op.input(0), weights = op.input(1);
  if (!data.valid() || !weights.valid() || !is_activation[data.index()] || is_activation[weights.index()]) return false;
  const Tensor& tensor = subgraph.tensor(data);
  return !tensor.is_variable && HasReadableType(tensor) && DescribeLayer(model, op, RunShape(tensor)).has_value();
}

// The real values of a tensor; `storage` holds them unless they are floats already.
absl::Span<const float> RealValues(const TensorInfo& info, absl::Span<const uint8_t> bytes,
                                   std::vector<float>* storage) {
  if (info.type == TensorType::kFloat32) {
    return {reinterpret_cast<const float*>(bytes.data()), bytes.size() / sizeof(float)};
  }
  storage->resize(static_cast<size_t>(info.elements));
  for (size_t i = 0; i < storage->size(); ++i) (*storage)[i] = static_cast<float>(RealValue(info, bytes, i));
  return *storage;
}

// One model that is run with the data operands of some operators as outputs.
class ExposedRun {
 public:
  // `input`, `path`: as MapForRuntime.
  static absl::StatusOr<ExposedRun> Start(const Model& model, const std::vector<OpId>& ops, const MappedFile* input,
                                          const std::string& path, int threads) {
    ExposedRun run;
    const Subgraph& subgraph = model.subgraphs[0];
    std::vector<TensorId> exposed;
    for (OpId op : ops) {
      run.data_.push_back(subgraph.ops[op.index()].input(0));
      const bool is_input = std::count(subgraph.inputs.begin(), subgraph.inputs.end(), run.data_.back()) > 0;
      if (!is_input) exposed.push_back(run.data_.back());
    }
    const Model with_outputs = ExposeTensors(model, exposed);
    LATHE_ASSIGN_OR_RETURN(run.mapped_, MapForRuntime(with_outputs, input, path));
    InterpreterOptions options;
    options.threads = threads;
    options.file = run.mapped_.get();
    LATHE_ASSIGN_OR_RETURN(run.interpreter_, Interpreter::Create(with_outputs, run.mapped_->bytes(), options));
    return run;
  }

  // `from` describes the inputs as the sample has them.
  absl::Status Run(const std::vector<TensorInfo>& from, const Sample& sample) {
    LATHE_RETURN_IF_ERROR(interpreter_->ResetState());
    inputs_.resize(from.size());
    for (size_t i = 0; i < from.size(); ++i) {
      LATHE_RETURN_IF_ERROR(ConvertInput(from[i], sample.inputs[i], interpreter_->inputs()[i], &inputs_[i]));
      LATHE_RETURN_IF_ERROR(interpreter_->SetInput(i, inputs_[i]));
    }
    return interpreter_->Run();
  }

  // The data of the operator at `index` of Start's list in the last run.
  absl::Span<const float> Data(size_t index, std::vector<float>* storage) const {
    for (size_t i = 0; i < interpreter_->outputs().size(); ++i) {
      const TensorInfo& info = interpreter_->outputs()[i];
      if (info.id == data_[index]) return RealValues(info, interpreter_->Output(i), storage);
    }
    for (size_t i = 0; i < inputs_.size(); ++i) {
      const TensorInfo& info = interpreter_->inputs()[i];
      if (info.id == data_[index]) return RealValues(info, inputs_[i], storage);
    }
    return {};
  }

  const std::vector<TensorInfo>& inputs() const { return interpreter_->inputs(); }

 private:
  std::shared_ptr<const MappedFile> mapped_;
  std::unique_ptr<Interpreter> interpreter_;
  std::vector<TensorId> data_;
  std::vector<std::vector<uint8_t>> inputs_;
};

// Sums over patches of one operator: of x, and of x y^T where x and y are two views of the same patches (or one).
class Sums {
 public:
  explicit Sums(const Layer& layer) : layer_(layer) {}

  void AllocateSecond() { second_.assign(static_cast<size_t>(Groups() * layer_.k() * layer_.k()), 0.0f); }

  // Rows of x, and of y if given: [rows, patch_size].
  void AddMean(absl::Span<const float> x) {
    const auto size = static_cast<size_t>(layer_.geometry.patch_size());
    mean_.resize(size, 0.0);
    for (size_t at = 0; at < x.size(); at += size) {
      for (size_t i = 0; i < size; ++i) mean_[i] += static_cast<double>(x[at + i]);
    }
    rows_ += x.size() / size;
  }
  void AddSecond(absl::Span<const float> x, absl::Span<const float> y) {
    if (layer_.depthwise) return AddDepthwise(x, y);
    const auto rows = static_cast<int64_t>(x.size()) / layer_.k();
    const math::Part part = x.data() == y.data() ? math::Part::kUpper : math::Part::kAll;
    math::AddTransposedProduct(x, layer_.k(), math::PackedMatrix(y, rows, layer_.k()), part, absl::MakeSpan(second_));
  }

  // Means in the layout of InputMoments. REQUIRES: a row was added.
  std::vector<float> Mean() const {
    const double rows = static_cast<double>(rows_);
    std::vector<float> mean;
    if (!layer_.depthwise) {
      for (double sum : mean_) mean.push_back(static_cast<float>(sum / rows));
      return mean;
    }
    for (int64_t c = 0; c < layer_.outputs; ++c) {
      for (int64_t tap = 0; tap < layer_.k(); ++tap) {
        mean.push_back(static_cast<float>(mean_[static_cast<size_t>(tap * Groups() + InputOf(c))] / rows));
      }
    }
    return mean;
  }
  // Second moments; `symmetric`: the upper triangle is mirrored.
  std::vector<float> TakeSecond(uint64_t rows, bool symmetric) {
    const auto k = static_cast<size_t>(layer_.k());
    const float factor = 1 / static_cast<float>(rows);
    if (layer_.depthwise) return TakeDepthwise(factor, symmetric);
    for (size_t i = 0; i < k; ++i) {
      for (size_t j = symmetric ? i : 0; j < k; ++j) {
        second_[i * k + j] *= factor;
        if (symmetric) second_[j * k + i] = second_[i * k + j];
      }
    }
    return std::move(second_);
  }
  uint64_t rows() const { return rows_; }

 private:
  int64_t Groups() const { return layer_.depthwise ? layer_.geometry.channels : 1; }
  int64_t InputOf(int64_t output) const { return output / (layer_.outputs / layer_.geometry.channels); }

  // second_ is [k, k, channels] here, so that the inner loop runs over channels; of x with itself the upper half.
  void AddDepthwise(absl::Span<const float> x, absl::Span<const float> y) {
    const auto k = static_cast<size_t>(layer_.k()), channels = static_cast<size_t>(layer_.geometry.channels);
    const bool upper = x.data() == y.data();
    for (size_t at = 0; at < x.size(); at += k * channels) {
      for (size_t i = 0; i < k; ++i) {
        for (size_t j = upper ? i : 0; j < k; ++j) {
          math::AddProducts(x.subspan(at + i * channels, channels), y.subspan(at + j * channels, channels),
                            absl::MakeSpan(second_).subspan((i * k + j) * channels, channels));
        }
      }
    }
  }
  std::vector<float> TakeDepthwise(float factor, bool symmetric) const {
    const auto k = static_cast<size_t>(layer_.k()), channels = static_cast<size_t>(layer_.geometry.channels);
    std::vector<float> result;
    result.reserve(static_cast<size_t>(layer_.outputs) * k * k);
    for (int64_t c = 0; c < layer_.outputs; ++c) {
      for (size_t i = 0; i < k * k; ++i) {
        const size_t row = i / k, column = i % k;
        const size_t from = symmetric ? std::min(row, column) * k + std::max(row, column) : i;
        result.push_back(second_[from * channels + static_cast<size_t>(InputOf(c))] * factor);
      }
    }
    return result;
  }

  const Layer& layer_;
  uint64_t rows_ = 0;
  std::vector<double> mean_;  // of a patch, as GatherPatches gives it
  std::vector<float> second_;
};

// What is collected for one operator.
struct Target {
  OpId op, quantized_op;  // the latter for joint moments only
  Layer layer;
  bool with_second = false;
};

class Collector {
 public:
  // `quantized`: null for the moments of `model` alone.
  Collector(const Model& model, const Model* quantized, SampleSource& samples, const CollectMomentsOptions& options)
      : model_(model), quantized_(quantized), samples_(samples), options_(options) {}

  absl::Status Run(const std::vector<std::pair<OpId, OpId>>& ops,
                   const std::function<absl::Status(JointMomentTable)>& take) {
    if (samples_.size() == 0) {
      return MakeError(absl::StatusCode::kInvalidArgument, "NO_SAMPLES", "there are no samples to collect moments of");
    }
    ChooseTargets(ops);
    const std::vector<std::vector<Target>> groups = Plan();
    total_ = groups.size() * std::min<uint64_t>(samples_.size(), options_.samples_max);
    for (const std::vector<Target>& group : groups) {
      LATHE_ASSIGN_OR_RETURN(JointMomentTable part, RunGroup(group));
      LATHE_RETURN_IF_ERROR(take(std::move(part)));
    }
    return absl::OkStatus();
  }

 private:
  void ChooseTargets(const std::vector<std::pair<OpId, OpId>>& ops) {
    const std::vector<bool> is_activation = FindActivations(model_);
    const std::vector<bool> is_quantized_activation =
        quantized_ != nullptr ? FindActivations(*quantized_) : is_activation;
    for (const auto& [op, quantized_op] : ops) {
      const Op& operation = model_.subgraphs[0].ops[op.index()];
      if (!CanCollect(model_, is_activation, operation)) continue;
      if (quantized_ != nullptr) {
        if (!CanCollect(*quantized_, is_quantized_activation, quantized_->subgraphs[0].ops[quantized_op.index()]))
          continue;
      }
      Target target;
      target.op = op;
      target.quantized_op = quantized_op;
      target.layer = *DescribeLayer(model_, operation, RunShape(model_.subgraphs[0].tensor(operation.input(0))));
      target.with_second = !options_.means_only && target.layer.k() <= options_.second_k_max;
      targets_.push_back(target);
    }
  }

  // Operators in order, as many at a time as fit beside the interpreters.
  std::vector<std::vector<Target>> Plan() const {
    uint64_t bare = EstimateInterpreterBytes(model_);
    if (quantized_ != nullptr) bare += EstimateInterpreterBytes(*quantized_);
    const uint64_t room = options_.memory_bytes > bare ? options_.memory_bytes - bare : 0;
    std::vector<std::vector<Target>> groups;
    uint64_t sum = 0;
    for (const Target& target : targets_) {
      const auto k = static_cast<uint64_t>(target.layer.k());
      const auto channels = static_cast<uint64_t>(target.layer.depthwise ? target.layer.outputs : 1);
      const uint64_t matrices = (quantized_ != nullptr ? 2 : 1) * (target.with_second ? k * k * channels : 0);
      const auto data = static_cast<uint64_t>(target.layer.geometry.data_size()) * (quantized_ != nullptr ? 3 : 1);
      const uint64_t bytes = (matrices + data) * sizeof(float);
      if (groups.empty() || sum + bytes > room) {
        groups.emplace_back();
        sum = 0;
      }
      groups.back().push_back(target);
      sum += bytes;
    }
    return groups;
  }

  absl::StatusOr<JointMomentTable> RunGroup(const std::vector<Target>& group) {
    std::vector<OpId> ops, quantized_ops;
    for (const Target& target : group) {
      ops.push_back(target.op);
      quantized_ops.push_back(target.quantized_op);
    }
    LATHE_ASSIGN_OR_RETURN(
        ExposedRun run,
        ExposedRun::Start(model_, ops, options_.input, options_.scratch_dir + "/moments.tflite", options_.threads));
    std::optional<ExposedRun> other;
    if (quantized_ != nullptr) {
      LATHE_ASSIGN_OR_RETURN(other,
                             ExposedRun::Start(*quantized_, quantized_ops, options_.input,
                                               options_.scratch_dir + "/moments.quantized.tflite", options_.threads));
    }
    std::vector<State> states;
    for (const Target& target : group) states.emplace_back(target);
    LATHE_RETURN_IF_ERROR(RunSamples(run, other ? &*other : nullptr, states));
    return Finish(states);
  }

  // Everything that is summed for one operator; x is the reference, y the quantized model.
  struct State {
    explicit State(const Target& from) : target(&from), x(from.layer), y(from.layer), cross(from.layer) {}
    const Target* target;
    Sums x, y, cross;
  };

  // Samples one after the other on one interpreter with all threads, then operators in parallel: sums are taken in the
  // order of the samples, whatever the number of threads.
  absl::Status RunSamples(ExposedRun& run, ExposedRun* other, std::vector<State>& states) {
    const Model& fed = options_.samples_for != nullptr ? *options_.samples_for : model_;
    LATHE_ASSIGN_OR_RETURN(const std::vector<TensorInfo> inputs, DescribeInputs(fed));
    for (const ExposedRun* each : {static_cast<const ExposedRun*>(&run), static_cast<const ExposedRun*>(other)}) {
      if (each == nullptr || each->inputs().size() == inputs.size()) continue;
      return MakeError(
          absl::StatusCode::kInvalidArgument, "MODELS_DIFFER",
          absl::StrFormat("the samples have %d inputs, the model %d", inputs.size(), each->inputs().size()));
    }
    for (State& state : states) {
      if (!state.target->with_second) continue;
      (other != nullptr ? state.y : state.x).AllocateSecond();
      if (other != nullptr) state.cross.AllocateSecond();
    }
    LATHE_RETURN_IF_ERROR(samples_.Rewind());
    const uint64_t count = samples_.size(), wanted = std::min<uint64_t>(count, options_.samples_max);
    const auto rows = static_cast<int64_t>((static_cast<uint64_t>(options_.rows_max) + wanted - 1) / wanted);
    uint64_t position = 0;
    SampleLoop loop;
    loop.cancel = options_.cancel;
    return ForEachSample(samples_, loop, [&](int) -> absl::StatusOr<SampleWork> {
      return SampleWork([&](const Sample& sample) -> absl::Status {
        const uint64_t at = position++;
        if (at * wanted / count == (at + 1) * wanted / count) return absl::OkStatus();
        LATHE_RETURN_IF_ERROR(run.Run(inputs, sample));
        if (other != nullptr) LATHE_RETURN_IF_ERROR(other->Run(inputs, sample));
        WithThreads(options_.threads, [&] {
          ParallelFor(states.size(), [&](size_t i) { AddSample(run, other, i, at, rows, states[i]); });
        });
        ++done_;
        if (options_.progress) options_.progress(done_, total_);
        return absl::OkStatus();
      });
    });
  }

  void AddSample(const ExposedRun& run, const ExposedRun* other, size_t index, uint64_t sample, int64_t rows,
                 State& state) const {
    const math::PatchGeometry& geometry = state.target->layer.geometry;
    const uint64_t seed = options_.seed * 0x10001 + sample;
    const std::vector<int64_t> positions = math::ChoosePositions(geometry.positions(), rows, seed);
    const std::vector<float> x = Gather(run, index, geometry, positions);
    state.x.AddMean(x);
    if (other == nullptr) {
      if (state.target->with_second) state.x.AddSecond(x, x);
      return;
    }
    const std::vector<float> y = Gather(*other, index, geometry, positions);
    state.y.AddMean(y);
    if (!state.target->with_second) return;
    state.y.AddSecond(y, y);
    state.cross.AddSecond(x, y);
  }

  static std::vector<float> Gather(const ExposedRun& run, size_t index, const math::PatchGeometry& geometry,
                                   const std::vector<int64_t>& positions) {
    std::vector<float> storage, patches(positions.size() * static_cast<size_t>(geometry.patch_size()));
    const absl::Span<const float> data = run.Data(index, &storage);
    // A tensor that the runtime made another size than the file says counts as 0.
    if (static_cast<int64_t>(data.size()) != geometry.data_size()) return patches;
    math::GatherPatches(data, geometry, positions, absl::MakeSpan(patches));
    return patches;
  }

  absl::StatusOr<JointMomentTable> Finish(std::vector<State>& states) const {
    JointMomentTable table;
    for (State& state : states) {
      const Target& target = *state.target;
      JointMoments joint;
      joint.reference = Moments(target, state.x, quantized_ == nullptr);
      if (quantized_ != nullptr) {
        joint.quantized = Moments(target, state.y, true);
        if (target.with_second) joint.cross = state.cross.TakeSecond(state.y.rows(), false);
      }
      for (const InputMoments* moments : {&joint.reference, &joint.quantized}) {
        LATHE_RETURN_IF_ERROR(CheckFinite(target, moments->mean));
        LATHE_RETURN_IF_ERROR(CheckFinite(target, moments->second));
      }
      table.emplace(target.op, std::move(joint));
    }
    return table;
  }

  static InputMoments Moments(const Target& target, Sums& sums, bool with_second) {
    InputMoments moments;
    moments.groups = target.layer.depthwise ? target.layer.outputs : 1;
    moments.k = target.layer.k();
    moments.rows = sums.rows();
    moments.mean = sums.Mean();
    if (with_second && target.with_second) moments.second = sums.TakeSecond(sums.rows(), true);
    return moments;
  }

  absl::Status CheckFinite(const Target& target, absl::Span<const float> values) const {
    if (std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); })) {
      return absl::OkStatus();
    }
    return MakeError(absl::StatusCode::kInvalidArgument, "ACTIVATION_NOT_FINITE",
                     absl::StrFormat("%s: its input becomes NaN or infinite: check the data's range (--scale, --mean, "
                                     "--input-range) and the model",
                                     Where(SubgraphId(0), target.op, model_.subgraphs[0].ops[target.op.index()])));
  }

  const Model& model_;
  const Model* quantized_;
  SampleSource& samples_;
  const CollectMomentsOptions& options_;
  std::vector<Target> targets_;
  uint64_t done_ = 0, total_ = 0;
};

}  // namespace

std::vector<OpId> FindMomentOperators(const Model& model) {
  const std::vector<bool> is_activation = FindActivations(model);
  std::vector<OpId> ops;
  for (size_t i = 0; i < model.subgraphs[0].ops.size(); ++i) {
    if (CanCollect(model, is_activation, model.subgraphs[0].ops[i])) ops.emplace_back(i);
  }
  return ops;
}

absl::Status CollectMomentsInParts(const Model& model, const std::vector<OpId>& ops, SampleSource& samples,
                                   const CollectMomentsOptions& options,
                                   const std::function<absl::Status(MomentTable part)>& take) {
  std::vector<std::pair<OpId, OpId>> pairs;
  for (OpId op : ops) pairs.emplace_back(op, OpId());
  return Collector(model, nullptr, samples, options).Run(pairs, [&](JointMomentTable part) {
    MomentTable moments;
    for (auto& [op, joint] : part) moments.emplace(op, std::move(joint.reference));
    return take(std::move(moments));
  });
}

absl::StatusOr<MomentTable> CollectMoments(const Model& model, const std::vector<OpId>& ops, SampleSource& samples,
                                           const CollectMomentsOptions& options) {
  MomentTable table;
  LATHE_RETURN_IF_ERROR(CollectMomentsInParts(model, ops, samples, options, [&](MomentTable part) {
    table.merge(part);
    return absl::OkStatus();
  }));
  return table;
}

absl::StatusOr<JointMomentTable> CollectJointMoments(const Model& reference, const Model& quantized,
                                                     const std::vector<std::pair<OpId, OpId>>& ops,
                                                     SampleSource& samples, const CollectMomentsOptions& options) {
  JointMomentTable table;
  LATHE_RETURN_IF_ERROR(Collector(reference, &quantized, samples, options).Run(ops, [&](JointMomentTable part) {
    table.merge(part);
    return absl::OkStatus();
  }));
  return table;
}

}  // namespace lathe
