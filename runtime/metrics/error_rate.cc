#include "runtime/metrics/error_rate.h"

#include <utility>

#include "runtime/metrics/sum_total.h"

namespace lathe {

absl::Status ErrorRate::Bind(const std::vector<TensorInfo>& /*inputs*/, const std::vector<TensorInfo>& outputs) {
  LATHE_ASSIGN_OR_RETURN(output_, FindTensor(outputs, options_.output, "output", "output"));
  const TensorInfo& info = outputs[output_];
  const size_t classes = info.shape.empty() ? 1 : static_cast<size_t>(info.shape.back());
  LATHE_ASSIGN_OR_RETURN(decoder_, CtcDecoder::Make(classes, options_.ctc));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<double>> ErrorRate::Score(const MetricSample& sample) const {
  LATHE_ASSIGN_OR_RETURN(const std::u32string reference, decoder_->TextOf(sample.labels));
  const std::u32string hypothesis = decoder_->Decode(sample.outputs[output_]);
  const std::vector<std::u32string> words = Words(reference);
  return std::vector<double>{
      static_cast<double>(EditDistance(words, Words(hypothesis))), static_cast<double>(words.size()),
      static_cast<double>(EditDistance(reference, hypothesis)), static_cast<double>(reference.size())};
}

std::unique_ptr<MetricTotal> ErrorRate::Summarize(std::vector<std::vector<double>> scores) const {
  return std::make_unique<SumTotal>(std::move(scores), 4, [](absl::Span<const double> sums) {
    return std::vector<double>{sums[0] / sums[1], sums[2] / sums[3]};
  });
}

}  // namespace lathe
