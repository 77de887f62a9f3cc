#include "runtime/metrics/ctc.h"

#include <gtest/gtest.h>

namespace lathe {
namespace {

// Frames with 1 at the class, of `classes`.
std::vector<double> Frames(const std::vector<size_t>& best, size_t classes) {
  std::vector<double> scores(best.size() * classes, 0);
  for (size_t i = 0; i < best.size(); ++i) scores[i * classes + best[i]] = 1;
  return scores;
}

TEST(CtcDecoderTest, DropsRepeatsAndBlanksAndCollapsesSpaces) {
  const auto decoder = CtcDecoder::Make(28, {});
  ASSERT_TRUE(decoder.ok()) << decoder.status();
  // " a", blank, "a", "  " around a blank, "b", " ".
  EXPECT_EQ(decoder->Decode(Frames({0, 1, 1, 27, 1, 0, 27, 0, 2, 2, 0}, 28)), U"aa b");
}

TEST(CtcDecoderTest, ReadsALabelUpToItsPadding) {
  const auto decoder = CtcDecoder::Make(28, {});
  EXPECT_EQ(*decoder->TextOf(std::vector<double>{1, 2, 0, 3, -1, -1}), U"ab c");
  EXPECT_EQ(ReasonOf(decoder->TextOf(std::vector<double>{27}).status()), "LABELS_INVALID");
  EXPECT_EQ(ReasonOf(decoder->TextOf(std::vector<double>{28}).status()), "LABELS_INVALID");
}

TEST(CtcDecoderTest, TakesAnAlphabetAroundItsBlank) {
  const auto decoder = CtcDecoder::Make(4, {.blank = 0, .alphabet = "aé "});
  ASSERT_TRUE(decoder.ok()) << decoder.status();
  EXPECT_EQ(decoder->Decode(Frames({0, 1, 3, 2, 0, 2}, 4)), U"a éé");
}

TEST(CtcDecoderTest, NamesWhatIsWrongWithAnAlphabet) {
  for (const MetricOptions::Ctc& options : std::vector<MetricOptions::Ctc>{{.blank = {}, .alphabet = ""},
                                                                           {.blank = {}, .alphabet = "ab"},
                                                                           {.blank = 4, .alphabet = "abc"},
                                                                           {.blank = {}, .alphabet = "\xFF\xFE\xFD"}}) {
    EXPECT_EQ(ReasonOf(CtcDecoder::Make(4, options).status()), "METRIC_UNFIT");
  }
}

TEST(EditDistanceTest, CountsInsertionsDeletionsAndSubstitutions) {
  EXPECT_EQ(EditDistance(std::u32string(U"kitten"), std::u32string(U"sitting")), 3u);
  EXPECT_EQ(EditDistance(std::u32string(U""), std::u32string(U"abc")), 3u);
  EXPECT_EQ(EditDistance(Words(U"a b c"), Words(U"a c")), 1u);
}

}  // namespace
}  // namespace lathe
