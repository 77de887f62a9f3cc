#include "optimizer/passes/clipping_histograms.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "tests/support/model_builder.h"

namespace lathe {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// in -> CONV_2D -> ... -> CONV_2D, every tensor with one value in each of 2,048 bins of -8 .. 8: -8 + (i + 0.5) / 128.
class ClippingHistogramsTest : public ::testing::Test {
 protected:
  void Build(size_t convolutions) {
    ModelBuilder builder;
    tensors_ = {builder.Input("in", {1, 8, 8, 4})};
    while (tensors_.size() <= convolutions) tensors_.push_back(builder.Conv2d(tensors_.back(), 4, 3, 1));
    builder.Output(tensors_.back());
    model_ = builder.Build();
    std::vector<float> values;
    for (int i = 0; i < 2048; ++i) values.push_back(static_cast<float>((i + 0.5) / 128 - 8));
    for (TensorId id : tensors_) {
      math::Histogram histogram(-8, 8);
      histogram.Add(values);
      histograms_.Set(id, {histogram, values.size()});
    }
  }

  std::vector<ClippingHistogram> Describe(const QuantizeSettings& settings = {}) const {
    return DescribeClipping(model_, histograms_,
                            PlanIntegers({.model = model_, .ranges = ranges_, .settings = settings}));
  }
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const ClippingHistogram& found : Describe()) names.push_back(found.name);
    return names;
  }
  const std::string& NameOf(size_t i) const { return model_.subgraphs[0].tensor(tensors_[i]).name; }

  std::vector<TensorId> tensors_;
  Model model_;
  HistogramTable histograms_;
  RangeTable ranges_;
};

// Levels in steps of 1/32 from -4 on, as int8 chooses them for -4 .. 3.96875: numpy counts 1,024 values that are cut
// off, 32 in each of 64 bins, and 10 * log10(21.3333 / 2.69820) dB.
TEST_F(ClippingHistogramsTest, KnownValuesHaveKnownBinsAndShare) {
  Build(1);
  for (TensorId id : tensors_) ranges_.Merge(id, -4, 3.96875F);
  const std::vector<ClippingHistogram> described = Describe();
  ASSERT_THAT(described, SizeIs(2));
  const ClippingHistogram& found = described[0];
  EXPECT_EQ(found.name, "in");
  EXPECT_EQ(found.min, -8);
  EXPECT_EQ(found.max, 8);
  EXPECT_EQ(found.scale, 1.0 / 32);
  EXPECT_EQ(found.zero_point, 0);
  EXPECT_EQ(found.chosen_min, -4);
  EXPECT_EQ(found.chosen_max, 3.96875);
  EXPECT_EQ(found.clipped_share, 0.5);
  EXPECT_NEAR(*found.sqnr_db, 8.9799, 1e-3);
  EXPECT_EQ(found.values, 2048u);
  EXPECT_THAT(found.counts, SizeIs(kClippingBins));
  EXPECT_THAT(found.counts, Each(32u));
}

TEST_F(ClippingHistogramsTest, ZerosCountInTheBinOfZero) {
  Build(1);
  for (TensorId id : tensors_) ranges_.Merge(id, -8, 8);
  histograms_.FindMutable(tensors_[0])->histogram.Add(std::vector<float>(100, 0.0F));
  for (const ClippingHistogram& found : Describe()) {
    EXPECT_EQ(found.counts[32], found.name == "in" ? 132u : 32u);
    EXPECT_EQ(std::accumulate(found.counts.begin(), found.counts.end(), uint64_t{0}), found.values);
  }
}

TEST_F(ClippingHistogramsTest, WorstAreTheMostClippedThenTheNoisiest) {
  Build(3);
  ranges_.Merge(tensors_[0], -20, 20);
  ranges_.Merge(tensors_[1], -8, 8);
  ranges_.Merge(tensors_[2], -4, 8);
  ranges_.Merge(tensors_[3], -2, 2);
  EXPECT_THAT(Names(), ElementsAre(NameOf(3), NameOf(2), NameOf(0), NameOf(1)));
  const HistogramTable kept = KeepWorstClipped(histograms_, ranges_, 2);
  EXPECT_NE(kept.Find(tensors_[3]), nullptr);
  EXPECT_NE(kept.Find(tensors_[2]), nullptr);
  EXPECT_EQ(kept.Find(tensors_[0]), nullptr);
  EXPECT_EQ(kept.Find(tensors_[1]), nullptr);
}

TEST_F(ClippingHistogramsTest, ShowsNoMoreThanTheLimit) {
  Build(kClippingHistograms + 3);
  for (TensorId id : tensors_) ranges_.Merge(id, -8, 8);
  EXPECT_THAT(Describe(), SizeIs(kClippingHistograms));
}

TEST_F(ClippingHistogramsTest, LeavesOutWhatDoesNotBecomeInt8) {
  Build(1);
  EXPECT_THAT(Describe(), IsEmpty());  // never observed, so float
  for (TensorId id : tensors_) ranges_.Merge(id, -8, 8);
  QuantizeSettings int16;
  int16.activations.bits = 16;
  EXPECT_THAT(Describe(int16), IsEmpty());
}

}  // namespace
}  // namespace lathe
