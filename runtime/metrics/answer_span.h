#ifndef LATHE_RUNTIME_METRICS_ANSWER_SPAN_H_
#define LATHE_RUNTIME_METRICS_ANSWER_SPAN_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/metrics/metric.h"

namespace lathe {

// f1 and em: answers that are spans of the input, by the rules of SQuAD.
// The span [a, b] of largest start[a] + end[b], a <= b < a + window, between the first two separators of the input (of
// equal ones the lowest a, then the lowest b). Labels: first and last position of the answer. Both become words: texts
// of the vocabulary in lower case, without ASCII punctuation and the words a, an, the; without a vocabulary every id is
// a word. em: the same words; f1: harmonic mean of precision and recall of the bags of words.
class AnswerSpan : public Metric {
 public:
  explicit AnswerSpan(const MetricOptions& options) : options_(options) {}
  std::vector<std::string> figures() const override { return {"f1", "em"}; }
  absl::Status Bind(const std::vector<TensorInfo>& inputs, const std::vector<TensorInfo>& outputs) override;
  bool needs_inputs() const override { return true; }
  absl::StatusOr<std::vector<double>> Score(const MetricSample& sample) const override;
  std::unique_ptr<MetricTotal> Summarize(std::vector<std::vector<double>> scores) const override;
  std::vector<std::vector<double>> Answers(const MetricSample& sample) const override;

 private:
  using Span = std::pair<size_t, size_t>;  // first and last position
  // The positions that an answer may have: [first, second). LABELS_INVALID: fewer than two separators.
  absl::StatusOr<Span> ContextOf(const std::vector<double>& ids) const;
  Span Best(const std::vector<double>& start, const std::vector<double>& end, Span context) const;
  absl::StatusOr<std::vector<std::string>> WordsOf(const std::vector<double>& ids, Span span) const;

  const MetricOptions options_;
  size_t input_ = 0, start_ = 0, end_ = 0;
  std::vector<std::vector<std::string>> words_;  // of each id, normalized
};

}  // namespace lathe

#endif  // LATHE_RUNTIME_METRICS_ANSWER_SPAN_H_
