#include "optimizer/math/packing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace lathe::math {
namespace {

using ::testing::ElementsAre;

std::vector<uint8_t> Pack(const std::vector<int8_t>& levels, int bits) {
  std::vector<uint8_t> bytes(PackedBytes(levels.size(), bits));
  PackLevels(levels, bits, absl::MakeSpan(bytes));
  return bytes;
}

TEST(PackLevelsTest, FirstElementIsLowestAndTheLastByteIsFilledWithZero) {
  EXPECT_THAT(Pack({1, -8, 7}, 4), ElementsAre(0x81, 0x07));
  EXPECT_THAT(Pack({1, -2, -1, 0, 1}, 2), ElementsAre(0b00'11'10'01, 0b01));
  EXPECT_THAT(Pack({-127, 5}, 8), ElementsAre(0x81, 0x05));
}

TEST(PackLevelsTest, UnpackingGivesEveryLevelBack) {
  for (int bits : {8, 4, 2}) {
    const int lowest = -(1 << (bits - 1)), highest = (1 << (bits - 1)) - 1;
    std::vector<int8_t> levels;
    for (int i = 0; i < 70001; ++i) levels.push_back(static_cast<int8_t>(lowest + i % (highest - lowest + 1)));
    const std::vector<uint8_t> packed = Pack(levels, bits);
    std::vector<int8_t> back(levels.size());
    UnpackLevels(packed, bits, absl::MakeSpan(back));
    EXPECT_TRUE(back == levels) << bits;
  }
}

}  // namespace
}  // namespace lathe::math
