#include "runtime/synthetic_samples.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "runtime/value_conversion.h"

namespace lathe {

namespace {

// SplitMix64: passes statistical tests, is one line, and is the same everywhere (std::uniform_* are not).
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t Next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  // Uniform in [0, 1), a multiple of 2^-53.
  double NextUnit() { return static_cast<double>(Next() >> 11) * 0x1p-53; }

 private:
  uint64_t state_;
};

template <typename T>
void Store(absl::Span<uint8_t> out, size_t i, T value) {
  memcpy(out.data() + i * sizeof(T), &value, sizeof(T));
}

}  // namespace

absl::StatusOr<std::unique_ptr<SampleSource>> SyntheticSamples::Make(const Model& model, const SampleOptions& options) {
  if (!std::isfinite(options.input_low) || !std::isfinite(options.input_high) ||
      !(options.input_low < options.input_high)) {
    return MakeError(absl::StatusCode::kInvalidArgument, "BAD_REQUEST",
                     absl::StrFormat("the input range is %g,%g: two finite numbers are needed, the smaller one first",
                                     options.input_low, options.input_high));
  }
  auto samples = std::make_unique<SyntheticSamples>();
  samples->options_ = options;
  LATHE_ASSIGN_OR_RETURN(samples->inputs_, DescribeInputs(model));
  for (const TensorInfo& input : samples->inputs_) {
    samples->values_.push_back(FindIndexedRows(model, input.id).value_or(2));
  }
  if (options.sample_limit > 0) samples->count_ = std::min<size_t>(samples->count_, options.sample_limit);
  return std::unique_ptr<SampleSource>(std::move(samples));
}

void SyntheticSamples::Fill(size_t sample, size_t input, absl::Span<uint8_t> out) const {
  const TensorInfo& info = inputs_[input];
  Random random(Random(options_.seed).Next() ^ Random(sample * 0x10001 + input + 1).Next());
  const size_t elements = static_cast<size_t>(info.elements);
  const bool real = info.type == TensorType::kFloat32 || info.type == TensorType::kFloat64 || info.scale > 0;
  if (real) {
    TensorInfo plain;
    plain.type = TensorType::kFloat32;
    plain.elements = info.elements;
    // Straight into the sample when its type is float32 already.
    const bool direct = info.type == TensorType::kFloat32;
    std::vector<uint8_t> converted(direct ? 0 : elements * sizeof(float));
    const absl::Span<uint8_t> floats = direct ? out : absl::MakeSpan(converted);
    const double span = options_.input_high - options_.input_low;
    // A float may round up to the excluded end; the float below it is in.
    const float low = static_cast<float>(options_.input_low);
    const float last = std::max(low, std::nextafter(static_cast<float>(options_.input_high), low));
    for (size_t i = 0; i < elements; ++i) {
      const float value = static_cast<float>(options_.input_low + span * random.NextUnit());
      Store(floats, i, std::min(value, last));
    }
    if (direct) return;
    ConvertValues(floats, NpyType::kFloat32, info, std::nullopt, out).IgnoreError();  // finite, so it cannot fail
    return;
  }
  // A table may have more rows than the index type can say.
  const size_t size = info.size_bytes / elements;
  const int64_t type_max = size == 1 ? 127 : size == 2 ? 32767 : 0x7fffffff;
  const uint64_t values = static_cast<uint64_t>(std::min(values_[input], type_max + 1));
  for (size_t i = 0; i < elements; ++i) {
    const uint64_t value = info.type == TensorType::kFloat16 ? (random.Next() & 1) * 0x3c00 : random.Next() % values;
    switch (size) {
      case 1:
        Store(out, i, static_cast<uint8_t>(info.type == TensorType::kBool ? value & 1 : value));
        break;
      case 2:
        Store(out, i, static_cast<uint16_t>(value));
        break;
      case 4:
        Store(out, i, static_cast<uint32_t>(value));
        break;
      default:
        Store(out, i, value);
        break;
    }
  }
}

absl::StatusOr<bool> SyntheticSamples::Next(Sample* sample) {
  const size_t index = next_.fetch_add(1);
  if (index >= count_) return false;
  sample->index = index;
  sample->inputs.resize(inputs_.size());
  for (size_t input = 0; input < inputs_.size(); ++input) {
    sample->inputs[input].resize(inputs_[input].size_bytes);
    Fill(index, input, absl::MakeSpan(sample->inputs[input]));
  }
  return true;
}

absl::Status SyntheticSamples::Rewind() {
  next_ = 0;
  return absl::OkStatus();
}

}  // namespace lathe
