#include "executor/compressed_size.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace lathe {
namespace {

// Bytes of which only every second one holds anything new.
std::vector<uint8_t> HalfRandom(size_t count) {
  std::mt19937 random(1);
  std::vector<uint8_t> bytes(count);
  for (size_t i = 0; i < count; i += 2) bytes[i] = static_cast<uint8_t>(random());
  return bytes;
}

TEST(GzipBytesTest, IsExactForSmallFiles) {
  const auto nothing = GzipBytes({});
  ASSERT_TRUE(nothing.ok()) << nothing.status();
  EXPECT_EQ(nothing->bytes, 20u);  // what `gzip -n < /dev/null | wc -c` says
  const auto zeros = GzipBytes(std::vector<uint8_t>(1'000'000, 0));
  ASSERT_TRUE(zeros.ok()) << zeros.status();
  EXPECT_FALSE(zeros->estimated);
  EXPECT_LT(zeros->bytes, 2000u);
}

TEST(GzipBytesTest, EstimatesLargeFilesClosely) {
  const std::vector<uint8_t> bytes = HalfRandom(size_t{8} << 20);
  const auto half = GzipBytes(absl::MakeSpan(bytes).subspan(0, size_t{4} << 20));
  const auto whole = GzipBytes(bytes);
  ASSERT_TRUE(half.ok() && whole.ok());
  EXPECT_FALSE(half->estimated);
  EXPECT_TRUE(whole->estimated);
  EXPECT_NEAR(static_cast<double>(whole->bytes), 2.0 * static_cast<double>(half->bytes),
              0.01 * static_cast<double>(whole->bytes));
}

TEST(ZstdBytesTest, CompressesWhatRepeats) {
  const auto zeros = ZstdBytes(std::vector<uint8_t>(1'000'000, 0));
  ASSERT_TRUE(zeros.ok()) << zeros.status();
  EXPECT_LT(*zeros, 200u);
}

}  // namespace
}  // namespace lathe
