#include "optimizer/math/patches.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace lathe::math {
namespace {

using ::testing::ElementsAre;

TEST(MakeWindowTest, PadsAsTheRuntimeDoes) {
  const auto same = MakeWindow(/*size=*/10, /*filter=*/3, /*stride=*/2, /*dilation=*/1, /*same_padding=*/true);
  ASSERT_TRUE(same.has_value());
  EXPECT_EQ(same->outputs, 5);
  EXPECT_EQ(same->pad_before, 0);  // 4 * 2 + 3 - 10 = 1 in total, the larger half behind
  EXPECT_EQ(MakeWindow(9, 3, 2, 1, true)->pad_before, 1);
  EXPECT_EQ(MakeWindow(9, 3, 1, 2, true)->pad_before, 2);
  EXPECT_EQ(MakeWindow(9, 3, 2, 1, false)->outputs, 4);
  EXPECT_EQ(MakeWindow(9, 3, 1, 4, false)->outputs, 1);
  EXPECT_EQ(MakeWindow(9, 3, 1, 5, false), std::nullopt);
  EXPECT_EQ(MakeWindow(0, 3, 1, 1, true), std::nullopt);
  EXPECT_EQ(MakeWindow(9, 3, 0, 1, true), std::nullopt);
}

TEST(ChoosePositionsTest, DrawsOneFromEachPart) {
  EXPECT_THAT(ChoosePositions(4, 9, 1), ElementsAre(0, 1, 2, 3));
  const std::vector<int64_t> chosen = ChoosePositions(1000, 64, 7);
  ASSERT_EQ(chosen.size(), 64u);
  for (size_t i = 0; i < chosen.size(); ++i) {
    EXPECT_GE(chosen[i], static_cast<int64_t>(i) * 1000 / 64);
    EXPECT_LT(chosen[i], static_cast<int64_t>(i + 1) * 1000 / 64);
  }
  EXPECT_EQ(ChoosePositions(1000, 64, 7), chosen);
  EXPECT_NE(ChoosePositions(1000, 64, 8), chosen);
}

// The convolution written out, against patches times weights.
TEST(GatherPatchesTest, GivesWhatAConvolutionMultiplies) {
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  for (const bool same : {true, false}) {
    for (const int64_t stride : {1, 2, 3}) {
      for (const int64_t dilation : {1, 2}) {
        PatchGeometry geometry;
        geometry.batches = 2;
        geometry.channels = 3;
        geometry.rows = *MakeWindow(9, 3, stride, dilation, same);
        geometry.columns = *MakeWindow(8, 2, stride, dilation, same);
        std::vector<float> data(static_cast<size_t>(geometry.data_size()));
        std::vector<float> weights(static_cast<size_t>(geometry.patch_size()));
        for (float& x : data) x = normal(random);
        for (float& x : weights) x = normal(random);
        const std::vector<int64_t> all = ChoosePositions(geometry.positions(), geometry.positions(), 0);
        std::vector<float> patches(all.size() * weights.size());
        GatherPatches(data, geometry, all, absl::MakeSpan(patches));
        size_t at = 0;
        for (int64_t n = 0; n < 2; ++n) {
          for (int64_t y = 0; y < geometry.rows.outputs; ++y) {
            for (int64_t x = 0; x < geometry.columns.outputs; ++x, ++at) {
              double expected = 0, found = 0;
              for (size_t i = 0; i < weights.size(); ++i) {
                const auto tap = static_cast<int64_t>(i);
                const int64_t row = y * stride + tap / 6 * dilation - geometry.rows.pad_before;
                const int64_t column = x * stride + tap / 3 % 2 * dilation - geometry.columns.pad_before;
                found += static_cast<double>(patches[at * weights.size() + i]) * weights[i];
                if (row < 0 || row >= 9 || column < 0 || column >= 8) continue;
                expected += static_cast<double>(data[static_cast<size_t>(((n * 9 + row) * 8 + column) * 3 + tap % 3)]) *
                            weights[i];
              }
              EXPECT_DOUBLE_EQ(found, expected);
            }
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace lathe::math
