#include "runtime/data_checks.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/hash/hash.h"
#include "runtime/value_conversion.h"

namespace lathe {

namespace {

// A digest is 8 bytes in a set; so many are tens of megabytes.
constexpr size_t kDigestsMax = 500'000;
// Beyond the range by more than its twentieth: real data scatters a little around what calibration saw.
constexpr double kBeyondShare = 0.05;
// Less than a fiftieth of the range: 0..1 for an input of 0..255 is a two hundred and fiftieth.
constexpr double kNarrowShare = 0.02;
// Pixels that were scaled are at most about 3 (standard deviations), pixels that were not up to 255.
constexpr double kPixelsUnscaled = 32;

// The real numbers that a type of integers holds at a scale.
std::optional<ExpectedRange> HeldRange(TensorType type, double scale, int64_t zero_point, std::string source) {
  double low = 0, high = 0;
  switch (type) {
    case TensorType::kInt8:
      low = std::numeric_limits<int8_t>::min(), high = std::numeric_limits<int8_t>::max();
      break;
    case TensorType::kUint8:
      high = std::numeric_limits<uint8_t>::max();
      break;
    case TensorType::kInt16:
      low = std::numeric_limits<int16_t>::min(), high = std::numeric_limits<int16_t>::max();
      break;
    default:
      return std::nullopt;
  }
  const double zero = static_cast<double>(zero_point);
  return ExpectedRange{(low - zero) * scale, (high - zero) * scale, std::move(source)};
}

template <typename Visit>
void ForEachConsumer(const Model& model, TensorId tensor, const Visit& visit) {
  for (const Op& op : model.subgraphs[0].ops) {
    if (std::find(op.inputs.begin(), op.inputs.end(), tensor) != op.inputs.end()) visit(op);
  }
}

}  // namespace

std::optional<ExpectedRange> FindExpectedRange(const Model& model, const TensorInfo& input) {
  if (input.scale > 0) {
    return HeldRange(input.type, double{input.scale}, input.zero_point, "the quantization of the input");
  }
  std::optional<ExpectedRange> range;
  ForEachConsumer(model, input.id, [&](const Op& op) {
    if (op.kind != OpKind::kQuantize || op.outputs.empty() || !op.outputs[0].valid()) return;
    const Tensor& quantized = model.subgraphs[0].tensor(op.outputs[0]);
    if (quantized.quantization.scale.size() != 1) return;
    range = HeldRange(quantized.type, double{quantized.quantization.scale[0]}, quantized.quantization.zero_point[0],
                      "the QUANTIZE operator that takes the input");
  });
  return range;
}

bool ScalesItsInput(const Model& model, const TensorInfo& input) {
  bool scales = false;
  ForEachConsumer(model, input.id, [&](const Op& op) {
    scales |= op.kind == OpKind::kMul || op.kind == OpKind::kDiv || op.kind == OpKind::kSub || op.kind == OpKind::kAdd;
  });
  return scales;
}

DataChecks::DataChecks(std::vector<Column> columns, std::optional<LabelColumn> labels, std::string label_where,
                       std::optional<int64_t> classes)
    : columns_(std::move(columns)),
      labels_(std::move(labels)),
      label_where_(std::move(label_where)),
      classes_(classes),
      seen_(columns_.size(), {std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()}) {}

void DataChecks::Look(const Sample& sample, absl::Span<const Extremes> extremes) {
  const uint64_t digest = absl::HashOf(sample.inputs);
  const std::lock_guard<std::mutex> lock(mutex_);
  if (sample.index >= looked_at_.size()) looked_at_.resize(sample.index + 1, false);
  if (looked_at_[sample.index]) return;
  looked_at_[sample.index] = true;
  ++samples_;
  for (size_t input = 0; input < columns_.size(); ++input) {
    seen_[input].low = std::min(seen_[input].low, extremes[input].low);
    seen_[input].high = std::max(seen_[input].high, extremes[input].high);
  }
  if (digests_.size() < kDigestsMax && !digests_.insert(digest).second) ++repeated_;
  if (!labels_ || !classes_ || labels_->elements != 1 || IsFloat(labels_->type)) return;
  const double label = NumberAt(labels_->type, sample.label, 0);
  if (label >= 0 && label < static_cast<double>(*classes_)) return;
  if (++bad_labels_ == 1) first_bad_label_ = absl::StrFormat("%g at sample %d", label, sample.index);
}

void DataChecks::CheckRange(const Column& column, const Extremes& seen, std::vector<std::string>* warnings) const {
  if (column.expected) {
    const ExpectedRange& expected = *column.expected;
    const double width = expected.high - expected.low;
    const std::string ranges =
        absl::StrFormat("%s: values from %g to %g, but the model's input holds %g to %g (%s)", column.where, seen.low,
                        seen.high, expected.low, expected.high, expected.source);
    if (seen.low < expected.low - kBeyondShare * width || seen.high > expected.high + kBeyondShare * width) {
      warnings->push_back(ranges + ": what is beyond is clipped; check --scale and --mean");
    } else if (seen.high > seen.low && seen.high - seen.low < kNarrowShare * width) {
      warnings->push_back(ranges + ": the data uses a small part of it; check --scale and --mean");
    }
  } else if (column.is_image && seen.high > kPixelsUnscaled) {
    warnings->push_back(absl::StrFormat(
        "%s: pixels up to %g, and nothing in the model scales them: models mostly take 0..1 or -1..1; check --scale",
        column.where, seen.high));
  }
}

std::vector<std::string> DataChecks::Warnings() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<std::string> warnings;
  if (samples_ == 0) return warnings;
  for (size_t input = 0; input < columns_.size(); ++input) {
    CheckRange(columns_[input], seen_[input], &warnings);
    if (samples_ > 1 && seen_[input].low == seen_[input].high) {
      warnings.push_back(absl::StrFormat("%s: holds nothing but %g in all %d samples", columns_[input].where,
                                         seen_[input].low, samples_));
    }
  }
  if (repeated_ * 100 > samples_) {
    warnings.push_back(absl::StrFormat("%s: %d of %d samples are the same as an earlier one",
                                       columns_.empty() ? "data" : columns_[0].where, repeated_, samples_));
  }
  if (bad_labels_ > 0) {
    warnings.push_back(absl::StrFormat("%s: %d of %d labels are outside the model's classes 0..%d; the first is %s",
                                       label_where_, bad_labels_, samples_, *classes_ - 1, first_bad_label_));
  }
  return warnings;
}

}  // namespace lathe
