#include "runtime/metrics/ctc.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "absl/strings/str_cat.h"
#include "runtime/metrics/metric.h"

namespace lathe {
namespace {

constexpr char kLetters[] = " abcdefghijklmnopqrstuvwxyz";  // 27, for 28 classes

// Code points of UTF-8; nothing if it is not (overlong forms are let through: they name a symbol as well as another).
std::optional<std::u32string> CodePoints(const std::string& text) {
  std::u32string points;
  for (size_t i = 0; i < text.size();) {
    const auto first = static_cast<unsigned char>(text[i]);
    const size_t length = first < 0x80                    ? 1
                          : first >= 0xF0 && first < 0xF8 ? 4
                          : first >= 0xE0                 ? 3
                          : first >= 0xC0                 ? 2
                                                          : 0;
    if (length == 0 || first >= 0xF8 || i + length > text.size()) return std::nullopt;
    char32_t point = length == 1 ? first : first & (0xFFu >> (length + 1));
    for (size_t k = 1; k < length; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      if ((next & 0xC0) != 0x80) return std::nullopt;
      point = (point << 6) | (next & 0x3Fu);
    }
    points.push_back(point);
    i += length;
  }
  return points;
}

std::u32string CollapseSpaces(const std::u32string& text) {
  std::u32string collapsed;
  for (char32_t symbol : text) {
    if (symbol != U' ' || (!collapsed.empty() && collapsed.back() != U' ')) collapsed.push_back(symbol);
  }
  if (!collapsed.empty() && collapsed.back() == U' ') collapsed.pop_back();
  return collapsed;
}

template <typename Sequence>
size_t Distance(const Sequence& a, const Sequence& b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

absl::StatusOr<CtcDecoder> CtcDecoder::Make(size_t classes, const MetricOptions::Ctc& options) {
  CtcDecoder decoder;
  decoder.classes_ = classes;
  if (classes < 2) return Unfit("the output has one value a frame: CTC needs a symbol and the blank at least");
  decoder.blank_ = options.blank.value_or(static_cast<uint32_t>(classes - 1));
  if (decoder.blank_ >= classes) {
    return Unfit(absl::StrFormat("the metric option `ctc.blank` is %d, but the output has the classes 0 .. %d",
                                 decoder.blank_, classes - 1));
  }
  std::string alphabet = options.alphabet;
  if (alphabet.empty() && classes == 28) alphabet = kLetters;
  if (alphabet.empty() && classes == 29) alphabet = absl::StrCat(kLetters, "'");
  if (alphabet.empty()) {
    return Unfit(
        absl::StrFormat("the output has %d classes: give the %d characters that are not the blank by the metric "
                        "option `ctc.alphabet`",
                        classes, classes - 1));
  }
  const auto symbols = CodePoints(alphabet);
  if (!symbols) return Unfit("the metric option `ctc.alphabet` is not UTF-8");
  if (symbols->size() != classes - 1) {
    return Unfit(
        absl::StrFormat("the metric option `ctc.alphabet` has %d characters, expected %d: one for each of the %d "
                        "classes but the blank",
                        symbols->size(), classes - 1, classes));
  }
  decoder.symbols_ = *symbols;
  decoder.symbols_.insert(decoder.blank_, 1, U'\0');
  return decoder;
}

std::u32string CtcDecoder::Decode(absl::Span<const double> scores) const {
  std::u32string text;
  size_t before = classes_;  // no class
  for (size_t frame = 0; frame + classes_ <= scores.size(); frame += classes_) {
    const size_t best = ArgMax(scores.subspan(frame, classes_));
    if (best != before && best != blank_) text.push_back(symbols_[best]);
    before = best;
  }
  return CollapseSpaces(text);
}

absl::StatusOr<std::u32string> CtcDecoder::TextOf(absl::Span<const double> labels) const {
  std::u32string text;
  for (double label : labels) {
    if (label == -1) break;
    LATHE_ASSIGN_OR_RETURN(const size_t symbol, ClassLabel(label, classes_));
    if (symbol == blank_) {
      return BadLabels(absl::StrFormat("a label is %d, which is the blank; texts are padded with -1", symbol));
    }
    text.push_back(symbols_[symbol]);
  }
  return CollapseSpaces(text);
}

size_t EditDistance(const std::u32string& a, const std::u32string& b) { return Distance(a, b); }

size_t EditDistance(const std::vector<std::u32string>& a, const std::vector<std::u32string>& b) {
  return Distance(a, b);
}

std::vector<std::u32string> Words(const std::u32string& text) {
  std::vector<std::u32string> words;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(U' ', begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

}  // namespace lathe
