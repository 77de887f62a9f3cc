#include "runtime/sample_subset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/runtime/npz_writer.h"
#include "tests/support/model_builder.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace lathe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(SplitSamplesTest, HoldsAFifthBackButAtLeastTwentyOrAThird) {
  constexpr size_t kMax = 100;
  EXPECT_THAT(SplitSamples(15, 1, kMax).held_back, IsEmpty());
  EXPECT_EQ(SplitSamples(15, 1, kMax).calibration.size(), 15u);
  EXPECT_EQ(SplitSamples(16, 1, kMax).held_back.size(), 8u);
  EXPECT_EQ(SplitSamples(40, 1, kMax).held_back.size(), 13u);
  EXPECT_EQ(SplitSamples(64, 1, kMax).held_back.size(), 20u);
  EXPECT_EQ(SplitSamples(100, 1, kMax).held_back.size(), 20u);
  EXPECT_EQ(SplitSamples(5000, 1, kMax).held_back.size(), 100u);
}

TEST(SplitSamplesTest, PutsEverySampleOnOneSide) {
  for (uint64_t seed : std::vector<uint64_t>{0, 1, 2, 77}) {
    const SampleSplit split = SplitSamples(103, seed, 100);
    EXPECT_TRUE(std::is_sorted(split.calibration.begin(), split.calibration.end()));
    EXPECT_TRUE(std::is_sorted(split.held_back.begin(), split.held_back.end()));
    std::set<size_t> all(split.calibration.begin(), split.calibration.end());
    all.insert(split.held_back.begin(), split.held_back.end());
    EXPECT_EQ(all.size(), 103u);
    EXPECT_EQ(*all.rbegin(), 102u);
  }
}

// Every sample is as likely as any other: of 2,000 seeds, 650 hold a given one back, give or take six deviations.
TEST(SplitSamplesTest, DrawsBySeedEvenly) {
  EXPECT_NE(SplitSamples(100, 1, 100).held_back, SplitSamples(100, 2, 100).held_back);
  EXPECT_EQ(SplitSamples(100, 1, 100).held_back, SplitSamples(100, 1, 100).held_back);
  std::vector<int> counts(40, 0);
  for (uint64_t seed = 0; seed < 2000; ++seed) {
    for (size_t i : SplitSamples(40, seed, 100).held_back) ++counts[i];
  }
  for (int count : counts) EXPECT_NEAR(count, 650, 6 * 20.9);
}

class SelectSamplesTest : public ::testing::Test {
 protected:
  SelectSamplesTest() {
    ModelBuilder builder;
    const TensorId x = builder.Input("x", {1, 2}), y = builder.Activation("y", {1, 2});
    builder.AddOp(OpKind::kRelu, {x}, {y});
    builder.Output(y);
    WriteNpz(dir_.path() + "/x.npz", {{"x.npy", Npy("<f4", "(5, 2)", Bytes<float>({0, 1, 2, 3, 4, 5, 6, 7, 8, 9}))}});
    source_ = *OpenSamples(builder.Build(), dir_.path() + "/x.npz", {});
  }

  // Index and first value of each sample.
  static std::vector<std::pair<size_t, float>> Read(SampleSource& samples) {
    std::vector<std::pair<size_t, float>> read;
    Sample sample;
    for (absl::StatusOr<bool> more = samples.Next(&sample); more.ok() && *more; more = samples.Next(&sample)) {
      read.emplace_back(sample.index, *reinterpret_cast<const float*>(sample.inputs[0].data()));
    }
    return read;
  }

  TempDir dir_;
  std::unique_ptr<SampleSource> source_;
};

TEST_F(SelectSamplesTest, GivesTheChosenOnesKeptOrStreamed) {
  for (uint64_t bytes_max : std::vector<uint64_t>{0, 15, 16, 1000}) {
    const auto chosen = SelectSamples(*source_, {1, 4}, bytes_max);
    ASSERT_TRUE(chosen.ok()) << chosen.status();
    EXPECT_EQ((*chosen)->size(), 2u);
    EXPECT_FALSE((*chosen)->synthetic());
    for (int round = 0; round < 2; ++round) {
      EXPECT_THAT(Read(**chosen), ElementsAre(std::pair(1u, 2.0f), std::pair(4u, 8.0f))) << bytes_max;
      ASSERT_TRUE((*chosen)->Rewind().ok());
    }
    EXPECT_EQ(*(*chosen)->Skip(), true);
    EXPECT_THAT(Read(**chosen), ElementsAre(std::pair(4u, 8.0f)));
    EXPECT_EQ(*(*chosen)->Skip(), false);
  }
}

TEST_F(SelectSamplesTest, OfNoneIsEmpty) {
  const auto chosen = SelectSamples(*source_, {}, 1000);
  ASSERT_TRUE(chosen.ok()) << chosen.status();
  EXPECT_EQ((*chosen)->size(), 0u);
  EXPECT_THAT(Read(**chosen), IsEmpty());
}

// A value that is not finite is refused where it is chosen and passed over where it is not.
TEST_F(SelectSamplesTest, LooksOnlyAtTheChosenOnes) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1}), y = builder.Activation("y", {1});
  builder.AddOp(OpKind::kRelu, {x}, {y});
  builder.Output(y);
  WriteNpz(dir_.path() + "/nan.npz", {{"x.npy", Npy("<f4", "(3, 1)", Bytes<float>({0, NAN, 2}))}});
  const auto source = *OpenSamples(builder.Build(), dir_.path() + "/nan.npz", {});
  EXPECT_TRUE(SelectSamples(*source, {0, 2}, 1000).ok());
  EXPECT_EQ(ReasonOf(SelectSamples(*source, {1}, 1000).status()), "DATA_INVALID");
}

}  // namespace
}  // namespace lathe
