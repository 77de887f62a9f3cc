#include "runtime/npy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/runtime/npz_writer.h"

namespace lathe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

absl::StatusOr<NpyHeader> Parse(const std::string& file) {
  return ParseNpyHeader({reinterpret_cast<const uint8_t*>(file.data()), file.size()});
}

std::string Error(const std::string& file) { return std::string(Parse(file).status().message()); }

TEST(NpyTest, ReadsEveryVersion) {
  for (char version : {'\1', '\2', '\3'}) {
    const auto header = Parse(Npy("<f4", "(2, 3)", std::string(24, '\0'), "False", version));
    ASSERT_TRUE(header.ok()) << header.status();
    EXPECT_THAT(header->shape, ElementsAre(2, 3));
    EXPECT_EQ(header->data_bytes, 24u);
    EXPECT_EQ(header->type, NpyType::kFloat32);
  }
}

TEST(NpyTest, ReadsEveryType) {
  for (const char* descr : {"|b1", "|i1", "|u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8", "<f2", "<f4", "<f8"}) {
    const auto header = Parse(Npy(descr, "(4,)", ""));
    ASSERT_TRUE(header.ok()) << descr << header.status();
    EXPECT_EQ(SizeOf(header->type), static_cast<size_t>(descr[2] - '0')) << descr;
  }
}

TEST(NpyTest, ReadsScalars) {
  const auto header = Parse(Npy("<i8", "()", ""));
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(header->elements, 1u);
}

TEST(NpyTest, RefusesWhatItCannotRead) {
  EXPECT_THAT(Error("\x93NUMPX short and wrong"), HasSubstr("not a .npy array"));
  EXPECT_THAT(Error("\x93NUMPY"), HasSubstr("not a .npy array"));
  EXPECT_THAT(Error(Npy("<f4", "(2, 3)", "", "True")), HasSubstr("Fortran order"));
  EXPECT_THAT(Error(Npy(">f4", "(2, 3)", "")), HasSubstr("big-endian"));
  EXPECT_THAT(Error(Npy("<c8", "(2, 3)", "")), HasSubstr("'<c8'"));
  EXPECT_THAT(Error(Npy("|O", "(2, 3)", "")), HasSubstr("'|O'"));
  EXPECT_THAT(Error(Npy("[('a', '<f4')]", "(2, 3)", "")), HasSubstr("structured"));
  EXPECT_THAT(Error(Npy("<f4", "(2, 3)", "", "False", 9)), HasSubstr("version is 9"));
  EXPECT_THAT(Error(Npy("<f4", "(-2, 3)", "")), HasSubstr("malformed"));
  EXPECT_THAT(Error(Npy("<f4", "2, 3)", "")), HasSubstr("malformed"));
  EXPECT_THAT(Error(Npy("<f4", "(99999999999999999999,)", "")), HasSubstr("malformed"));
  EXPECT_THAT(Error(Npy("<f4", "(4294967296, 4294967296)", "")), HasSubstr("too large"));
}

TEST(NpyTest, ShapeWithAZeroIsEmptyWhateverFollows) {
  const auto header = Parse(Npy("<f4", "(0, 1099511627776)", ""));
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(header->data_bytes, 0u);
}

TEST(NpyTest, NeverReadsPastATruncatedHeader) {
  const std::string whole = Npy("<f4", "(2, 3)", "");
  for (size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(Parse(whole.substr(0, size)).ok()) << size;
}

TEST(NpyTest, SurvivesEveryByteFlip) {
  const std::string whole = Npy("<f4", "(2, 3)", "");
  for (size_t i = 0; i < whole.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string broken = whole;
      broken[i] = static_cast<char>(broken[i] ^ (1 << bit));
      const auto header = Parse(broken);
      if (header.ok()) {
        EXPECT_LE(header->data_bytes, uint64_t{8} << 48);
      }
    }
  }
}

}  // namespace
}  // namespace lathe
