#include "runtime/metrics/answer_span.h"

#include <algorithm>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "runtime/metrics/sum_total.h"

namespace lathe {
namespace {

// What SQuAD's normalization leaves of a token.
std::vector<std::string> NormalizedWords(const std::string& token) {
  std::string text = absl::AsciiStrToLower(token);
  text.erase(std::remove_if(text.begin(), text.end(),
                            [](char c) { return absl::ascii_ispunct(static_cast<unsigned char>(c)); }),
             text.end());
  std::vector<std::string> words;
  for (const auto word : absl::StrSplit(text, absl::ByAnyChar(" \t\r\n\v\f"), absl::SkipEmpty())) {
    if (word != "a" && word != "an" && word != "the") words.emplace_back(word);
  }
  return words;
}

double BagF1(std::vector<std::string> predicted, std::vector<std::string> gold) {
  if (predicted.empty() || gold.empty()) return predicted == gold;
  const auto total = static_cast<double>(predicted.size() + gold.size());
  std::sort(predicted.begin(), predicted.end());
  std::sort(gold.begin(), gold.end());
  std::vector<std::string> common;
  std::set_intersection(predicted.begin(), predicted.end(), gold.begin(), gold.end(), std::back_inserter(common));
  return 2 * static_cast<double>(common.size()) / total;
}

}  // namespace

absl::Status AnswerSpan::Bind(const std::vector<TensorInfo>& inputs, const std::vector<TensorInfo>& outputs) {
  const MetricOptions::AnswerSpan& options = options_.answer_span;
  LATHE_ASSIGN_OR_RETURN(input_, FindTensor(inputs, options.input, "input", "answer_span.input"));
  LATHE_ASSIGN_OR_RETURN(start_, FindTensor(outputs, options.start, "output", "answer_span.start"));
  LATHE_ASSIGN_OR_RETURN(end_, FindTensor(outputs, options.end, "output", "answer_span.end"));
  for (size_t output : {start_, end_}) {
    if (outputs[output].elements == inputs[input_].elements) continue;
    return Unfit(absl::StrFormat("output '%s' has %d values, expected one for each of the %d tokens of input '%s'",
                                 DisplayName(outputs[output]), outputs[output].elements, inputs[input_].elements,
                                 DisplayName(inputs[input_])));
  }
  words_.clear();
  for (const std::string& token : options.vocabulary) words_.push_back(NormalizedWords(token));
  return absl::OkStatus();
}

absl::StatusOr<AnswerSpan::Span> AnswerSpan::ContextOf(const std::vector<double>& ids) const {
  const auto separator = static_cast<double>(options_.answer_span.separator);
  const auto first = std::find(ids.begin(), ids.end(), separator);
  const auto second = first == ids.end() ? first : std::find(first + 1, ids.end(), separator);
  if (second == ids.end() || second == first + 1) {
    return BadLabels(
        absl::StrFormat("the tokens have no context between two separators (id %d, the metric option "
                        "`answer_span.separator`)",
                        options_.answer_span.separator));
  }
  return Span(first - ids.begin() + 1, second - ids.begin());
}

AnswerSpan::Span AnswerSpan::Best(const std::vector<double>& start, const std::vector<double>& end,
                                  Span context) const {
  double best = -std::numeric_limits<double>::infinity();
  Span span(context.first, context.first);
  for (size_t a = context.first; a < context.second; ++a) {
    const size_t stop = std::min(a + options_.answer_span.window, context.second);
    for (size_t b = a; b < stop; ++b) {
      if (start[a] + end[b] <= best) continue;
      best = start[a] + end[b];
      span = {a, b};
    }
  }
  return span;
}

absl::StatusOr<std::vector<std::string>> AnswerSpan::WordsOf(const std::vector<double>& ids, Span span) const {
  std::vector<std::string> words;
  for (size_t i = span.first; i <= span.second; ++i) {
    if (words_.empty()) {
      words.push_back(absl::StrCat(ids[i]));
      continue;
    }
    if (ids[i] < 0 || ids[i] >= static_cast<double>(words_.size())) {
      return BadLabels(absl::StrFormat("token %g is not among the %d of the vocabulary", ids[i], words_.size()));
    }
    const std::vector<std::string>& token = words_[static_cast<size_t>(ids[i])];
    words.insert(words.end(), token.begin(), token.end());
  }
  return words;
}

absl::StatusOr<std::vector<double>> AnswerSpan::Score(const MetricSample& sample) const {
  const std::vector<double>& ids = sample.inputs[input_];
  if (sample.labels.size() != 2) {
    return BadLabels(absl::StrFormat("expected two labels a sample, first and last position of the answer, found %d",
                                     sample.labels.size()));
  }
  LATHE_ASSIGN_OR_RETURN(const size_t first, ClassLabel(sample.labels[0], ids.size()));
  LATHE_ASSIGN_OR_RETURN(const size_t last, ClassLabel(sample.labels[1], ids.size()));
  if (first > last) return BadLabels(absl::StrFormat("the answer ends at %d, before it begins at %d", last, first));
  LATHE_ASSIGN_OR_RETURN(const Span context, ContextOf(ids));
  const Span best = Best(sample.outputs[start_], sample.outputs[end_], context);
  LATHE_ASSIGN_OR_RETURN(const std::vector<std::string> gold, WordsOf(ids, {first, last}));
  LATHE_ASSIGN_OR_RETURN(const std::vector<std::string> predicted, WordsOf(ids, best));
  return std::vector<double>{BagF1(predicted, gold), static_cast<double>(predicted == gold), 1};
}

std::unique_ptr<MetricTotal> AnswerSpan::Summarize(std::vector<std::vector<double>> scores) const {
  return std::make_unique<SumTotal>(std::move(scores), 3, [](absl::Span<const double> sums) {
    return std::vector<double>{100 * sums[0] / sums[2], 100 * sums[1] / sums[2]};
  });
}

std::vector<std::vector<double>> AnswerSpan::Answers(const MetricSample& sample) const {
  const absl::StatusOr<Span> context = ContextOf(sample.inputs[input_]);
  if (!context.ok()) return {};  // Score says so
  const Span best = Best(sample.outputs[start_], sample.outputs[end_], *context);
  return {{static_cast<double>(best.first), static_cast<double>(best.second)}};
}

}  // namespace lathe
