#include "optimizer/passes/static_weights.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "optimizer/math/packing.h"
#include "optimizer/passes/weights.h"

namespace lathe {
namespace {

// Weights on their grid: real = scales[c] * levels[i].
struct Grid {
  std::vector<float> scales;
  std::vector<int8_t> levels;
};

template <typename T>
std::vector<uint8_t> AsBytes(const std::vector<T>& values) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(values.data());
  return std::vector<uint8_t>(bytes, bytes + values.size() * sizeof(T));
}

bool IsSymmetricInt8(const Model& model, const Tensor& tensor, int32_t axis) {
  const Quantization& quantization = tensor.quantization;
  const auto& zeros = quantization.zero_point;
  return tensor.type == TensorType::kInt8 && model.IsConstant(tensor) && tensor.sparsity == nullptr &&
         quantization.details == nullptr && !quantization.scale.empty() &&
         (quantization.scale.size() == 1 || quantization.quantized_dimension == axis) &&
         std::all_of(zeros.begin(), zeros.end(), [](int64_t zero) { return zero == 0; });
}

const ChosenWeights* FindChoice(const WeightChoices* choices, OpId id) {
  if (choices == nullptr) return nullptr;
  const auto found = choices->find(id);
  return found == choices->end() ? nullptr : &found->second;
}

// One operator's weights on their way to the file.
class Maker {
 public:
  Maker(const Model& model, OpId id, const Op& op, int activation_bits, const QuantizeSettings& settings,
        const WeightChoices* choices)
      : model_(model),
        graph_(model.subgraphs[0]),
        op_(op),
        operands_(*GetWeightOperands(op.kind)),
        choice_(FindChoice(choices, id)),
        weights_(graph_.tensor(op.inputs[operands_.weights])),
        layout_(LayoutAlong(weights_, operands_.axis)),
        whole_tensor_(settings.weights.granularity.value_or("channel") == "tensor"),
        bits_(StaticWeightBits(graph_, op, activation_bits, settings)) {
    if (choice_ != nullptr && !choice_->scales.empty()) bits_ = choice_->bits;
  }

  // The grid before the bias is looked at; levels are empty where nothing but the scales is known.
  absl::StatusOr<Grid> StartGrid() const {
    if (choice_ != nullptr && !choice_->scales.empty()) return Grid{choice_->scales, choice_->levels};
    if (weights_.type == TensorType::kInt8) return GridOfFile();
    Grid grid;
    grid.scales.resize(static_cast<size_t>(layout_.channels));
    LATHE_RETURN_IF_ERROR(
        math::ChooseWeightScales(model_.FloatData(weights_), layout_, absl::MakeSpan(grid.scales), bits_));
    if (whole_tensor_) Level(grid.scales);
    return grid;
  }

  absl::StatusOr<StaticWeights> Make(StaticScales scales) const {
    LATHE_ASSIGN_OR_RETURN(const Grid start, StartGrid());
    LATHE_ASSIGN_OR_RETURN(const std::vector<float> bias, Bias());
    StaticWeights result;
    Grid grid = start;
    if (scales.bits == 16) {
      result.bias_type = TensorType::kInt64;
      result.bias = QuantizedBias<int64_t>(bias, scales, grid.scales);
    } else {
      result.bias = QuantizedBias<int32_t>(bias, scales, grid.scales);
    }
    Round(start, grid);
    for (float scale : grid.scales) result.bias_quantization.scale.push_back(scales.input * scale);
    result.bias_quantization.zero_point.assign(grid.scales.size(), 0);
    result.type = bits_ == 4 ? TensorType::kInt4 : TensorType::kInt8;
    result.data.resize(math::PackedBytes(grid.levels.size(), bits_));
    math::PackLevels(grid.levels, bits_, absl::MakeSpan(result.data));
    if (whole_tensor_ && choice_ == nullptr) {
      grid.scales.resize(1);
      result.bias_quantization.scale.resize(1);
      result.bias_quantization.zero_point.resize(1);
    } else {
      result.quantization.quantized_dimension = operands_.axis;
    }
    result.quantization.zero_point.assign(grid.scales.size(), 0);
    result.quantization.scale = std::move(grid.scales);
    return result;
  }

 private:
  static void Level(std::vector<float>& scales) {
    std::fill(scales.begin(), scales.end(), *std::max_element(scales.begin(), scales.end()));
  }

  Grid GridOfFile() const {
    const absl::Span<const uint8_t> bytes = model_.buffer(weights_.buffer).bytes();
    const auto* values = reinterpret_cast<const int8_t*>(bytes.data());
    Grid grid;
    grid.levels.assign(values, values + bytes.size());
    grid.scales = weights_.quantization.scale;
    if (grid.scales.size() == 1) grid.scales.assign(static_cast<size_t>(layout_.channels), grid.scales[0]);
    return grid;
  }

  absl::StatusOr<std::vector<float>> Bias() const {
    const auto channels = static_cast<size_t>(layout_.channels);
    const TensorId id = op_.input(*operands_.bias);
    std::vector<float> bias(channels, 0.0f);
    if (id.valid()) {
      const absl::Span<const float> values = model_.FloatData(graph_.tensor(id));
      const math::MinMax range = math::FindMinMax(values);
      if (values.size() != channels || !std::isfinite(range.lo) || !std::isfinite(range.hi)) {
        return MakeError(absl::StatusCode::kInvalidArgument, "WEIGHTS_NOT_FINITE",
                         absl::StrFormat("%s: a bias must hold %d finite values",
                                         Where(SubgraphId(0), id, graph_.tensor(id)), channels));
      }
      bias.assign(values.begin(), values.end());
    }
    if (choice_ != nullptr && choice_->bias_shift.size() == channels) {
      for (size_t c = 0; c < channels; ++c) bias[c] += choice_->bias_shift[c];
    }
    return bias;
  }

  // Raises scales where the bias asks for it.
  template <typename T>
  std::vector<uint8_t> QuantizedBias(const std::vector<float>& bias, StaticScales scales,
                                     std::vector<float>& weight_scales) const {
    std::vector<T> quantized(bias.size());
    const auto quantize = [&] {
      math::QuantizeBias(bias, scales.input, scales.output, absl::MakeSpan(weight_scales), absl::MakeSpan(quantized));
    };
    quantize();
    if (whole_tensor_ && choice_ == nullptr) {
      Level(weight_scales);
      quantize();
    }
    return AsBytes(quantized);
  }

  // The levels of `grid`, whose scales are final: those of `start` where the scale is still the same.
  void Round(const Grid& start, Grid& grid) const {
    if (start.levels.empty()) {
      const absl::Span<const float> values = model_.FloatData(weights_);
      grid.levels.resize(values.size());
      math::QuantizeWeights(values, layout_, grid.scales, absl::MakeSpan(grid.levels), bits_);
      return;
    }
    const auto channels = static_cast<size_t>(layout_.channels), inner = static_cast<size_t>(layout_.inner);
    const bool has_floats = weights_.type == TensorType::kFloat32;
    for (size_t i = 0; i < grid.levels.size(); ++i) {
      const size_t c = i / inner % channels;
      // The narrow range: files of other tools may hold -128.
      if (grid.scales[c] == start.scales[c]) {
        grid.levels[i] = std::max<int8_t>(grid.levels[i], -127);
        continue;
      }
      const float value = has_floats ? model_.FloatData(weights_)[i] : start.scales[c] * start.levels[i];
      grid.levels[i] = static_cast<int8_t>(std::clamp(std::nearbyint(value / grid.scales[c]), -127.0f, 127.0f));
    }
  }

  const Model& model_;
  const Subgraph& graph_;
  const Op& op_;
  const WeightOperands operands_;
  const ChosenWeights* choice_;
  const Tensor& weights_;
  const math::ChannelLayout layout_;
  const bool whole_tensor_;
  int bits_;
};

}  // namespace

std::string WhyNoStaticWeights(const Model& model, const Subgraph& subgraph, const Op& op) {
  const std::optional<WeightOperands> operands = GetWeightOperands(op.kind);
  if (!operands || !operands->bias) return "this kind of operator has no weights";
  const TensorId weights = op.input(operands->weights), bias = op.input(*operands->bias);
  if (!weights.valid()) return "it lacks operands";
  const std::string why = IsSymmetricInt8(model, subgraph.tensor(weights), operands->axis)
                              ? WhyNoWeightKernel(subgraph, op)
                              : WhyNoIntegerWeights(model, subgraph, op);
  if (!why.empty()) return why;
  if (bias.valid() && !IsDenseFloatConstant(model, subgraph.tensor(bias))) return "its bias is not a float32 constant";
  return "";
}

int StaticWeightBits(const Subgraph& subgraph, const Op& op, int activation_bits, const QuantizeSettings& settings) {
  if (settings.weights.bits.value_or(8) != 4) return 8;
  const Tensor& weights = subgraph.tensor(op.inputs[GetWeightOperands(op.kind)->weights]);
  if (weights.type != TensorType::kFloat32 || weights.shape.back() % 2 != 0) return 8;
  switch (op.kind) {
    case OpKind::kConv2d:
    case OpKind::kFullyConnected:
      return 4;
    case OpKind::kDepthwiseConv2d:
      return activation_bits == 8 ? 4 : 8;  // with int16 activations the kernel computes garbage
    default:
      return 8;
  }
}

absl::StatusOr<StaticWeights> MakeStaticWeights(const Model& model, OpId id, const Op& op, StaticScales scales,
                                                const QuantizeSettings& settings, const WeightChoices* choices) {
  absl::StatusOr<StaticWeights> result = Maker(model, id, op, scales.bits, settings, choices).Make(scales);
  if (result.ok()) return result;
  const TensorId weights = op.inputs[GetWeightOperands(op.kind)->weights];
  return Annotate(result.status(), Where(SubgraphId(0), weights, model.subgraphs[0].tensor(weights)));
}

float LargestWeightScale(const Model& model, OpId id, const Op& op, int activation_bits,
                         const QuantizeSettings& settings, const WeightChoices* choices) {
  const absl::StatusOr<Grid> grid = Maker(model, id, op, activation_bits, settings, choices).StartGrid();
  return grid.ok() ? *std::max_element(grid->scales.begin(), grid->scales.end()) : 0.0f;
}

}  // namespace lathe
