#include "optimizer/passes/weight_histograms.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <utility>

#include "common/parallel.h"
#include "optimizer/math/packing.h"
#include "optimizer/math/quantize.h"

namespace lathe {
namespace {

// Below this a histogram says nothing.
constexpr int64_t kValuesMin = 64;

struct Pair {
  const Tensor* before;
  const Tensor* after;
};

// Constants by name; null where the name is not unique.
std::map<std::string, const Tensor*> ByName(const Model& model) {
  std::map<std::string, const Tensor*> found;
  for (const Tensor& tensor : model.subgraphs[0].tensors) {
    if (!model.IsConstant(tensor)) continue;
    const auto [place, is_new] = found.emplace(tensor.name, &tensor);
    if (!is_new) place->second = nullptr;
  }
  return found;
}

// How wide the levels of a type are; 0: not a type of weights.
int LevelBits(const Tensor& tensor) {
  if (tensor.quantization.scale.empty() || tensor.quantization.details != nullptr) return 0;
  const int bits = TypeBits(tensor.type);
  const bool is_level = tensor.type == TensorType::kInt8 || tensor.type == TensorType::kInt4 || bits == 2;
  return is_level ? bits : 0;
}

bool IsReadable(const Tensor& tensor) {
  return tensor.sparsity == nullptr &&
         (tensor.type == TensorType::kFloat32 || tensor.type == TensorType::kFloat16 || LevelBits(tensor) > 0);
}

// The real values of a constant, one by one.
class Values {
 public:
  Values(const Model& model, const Tensor& tensor)
      : tensor_(tensor), bytes_(model.buffer(tensor.buffer).bytes()), bits_(LevelBits(tensor)) {
    const auto axis = static_cast<size_t>(tensor.quantization.quantized_dimension);
    for (size_t i = axis + 1; i < tensor.shape.size(); ++i) inner_ *= static_cast<size_t>(tensor.shape[i]);
  }

  double operator[](size_t i) const {
    if (bits_ > 0) return Level(i);
    if (tensor_.type == TensorType::kFloat16) {
      uint16_t half;
      std::memcpy(&half, bytes_.data() + i * sizeof half, sizeof half);
      float value = 0;
      math::FromFloat16({&half, 1}, {&value, 1});
      return static_cast<double>(value);
    }
    float value;
    std::memcpy(&value, bytes_.data() + i * sizeof value, sizeof value);
    return static_cast<double>(value);
  }

 private:
  double Level(size_t i) const {
    const size_t each = static_cast<size_t>(8 / bits_);
    int8_t levels[4];
    math::UnpackLevels(bytes_.subspan(i / each, 1), bits_, {levels, each});
    const auto& scales = tensor_.quantization.scale;
    const auto& zeros = tensor_.quantization.zero_point;
    const size_t channel = scales.size() == 1 ? 0 : i / inner_ % scales.size();
    const int64_t zero = channel < zeros.size() ? zeros[channel] : 0;
    return static_cast<double>(scales[channel]) * static_cast<double>(levels[i % each] - zero);
  }

  const Tensor& tensor_;
  absl::Span<const uint8_t> bytes_;
  int bits_;
  size_t inner_ = 1;  // elements between neighbours along the quantized dimension
};

std::vector<uint32_t> Count(const std::vector<double>& values, double min, double max) {
  std::vector<uint32_t> bins(kHistogramBins);
  const double width = (max - min) / static_cast<double>(kHistogramBins);
  for (double value : values) {
    const auto bin = static_cast<size_t>(std::max(0.0, (value - min) / width));
    ++bins[std::min(bin, kHistogramBins - 1)];
  }
  return bins;
}

// Without bins where a value is not finite or all are the same.
WeightHistogram Describe(const Model& input, const Model& output, const Pair& pair) {
  const Values sources[] = {Values(input, *pair.before), Values(output, *pair.after)};
  const auto count = static_cast<size_t>(pair.before->NumElements());
  // An odd step meets every channel in turn.
  const size_t step = (count + kHistogramValuesMax - 1) / kHistogramValuesMax | 1;
  std::vector<double> values[2];
  WeightHistogram histogram;
  histogram.name = pair.before->name;
  histogram.bytes_before = input.buffer(pair.before->buffer).bytes().size();
  histogram.bytes_after = output.buffer(pair.after->buffer).bytes().size();
  histogram.min = histogram.max = sources[0][0];
  for (size_t side = 0; side < 2; ++side) {
    for (size_t i = 0; i < count; i += step) {
      const double value = sources[side][i];
      if (!std::isfinite(value)) return histogram;
      histogram.min = std::min(histogram.min, value);
      histogram.max = std::max(histogram.max, value);
      values[side].push_back(value);
    }
  }
  histogram.values = values[0].size();
  if (!(histogram.max > histogram.min) || !std::isfinite(histogram.max - histogram.min)) return histogram;
  histogram.before = Count(values[0], histogram.min, histogram.max);
  histogram.after = Count(values[1], histogram.min, histogram.max);
  return histogram;
}

}  // namespace

std::vector<WeightHistogram> DescribeWeights(const Model& input, const Model& output) {
  const auto before = ByName(input), after = ByName(output);
  std::vector<Pair> pairs;
  for (const auto& [name, tensor] : before) {
    const auto found = after.find(name);
    if (tensor == nullptr || found == after.end() || found->second == nullptr) continue;
    const Tensor& other = *found->second;
    const bool fits = tensor->type == TensorType::kFloat32 && IsReadable(*tensor) && IsReadable(other);
    if (!fits || tensor->shape != other.shape || tensor->NumElements() < kValuesMin) continue;
    if (input.buffer(tensor->buffer).bytes() != output.buffer(other.buffer).bytes()) pairs.push_back({tensor, &other});
  }
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const Pair& a, const Pair& b) { return a.before->NumElements() > b.before->NumElements(); });
  pairs.resize(std::min(pairs.size(), kWeightHistograms));
  std::vector<WeightHistogram> histograms(pairs.size());
  ParallelFor(pairs.size(), [&](size_t i) { histograms[i] = Describe(input, output, pairs[i]); });
  std::erase_if(histograms, [](const WeightHistogram& histogram) { return histogram.before.empty(); });
  return histograms;
}

}  // namespace lathe
