#include "runtime/value_conversion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "tests/runtime/npz_writer.h"

namespace lathe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TensorInfo Info(TensorType type, size_t elements, size_t element_bytes, float scale = 0, int64_t zero_point = 0) {
  TensorInfo info;
  info.type = type;
  info.elements = static_cast<int64_t>(elements);
  info.size_bytes = elements * element_bytes;
  info.scale = scale;
  info.zero_point = zero_point;
  return info;
}

template <typename To, typename From>
absl::StatusOr<std::vector<To>> Convert(const std::vector<From>& values, NpyType from, TensorInfo info,
                                        std::optional<IntegerScaling> scaling = std::nullopt) {
  LATHE_RETURN_IF_ERROR(CheckConvertible(from, info, scaling));
  const std::string bytes = Bytes(values);
  std::vector<To> out(values.size());
  LATHE_RETURN_IF_ERROR(ConvertValues({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, from, info,
                                      scaling, {reinterpret_cast<uint8_t*>(out.data()), out.size() * sizeof(To)}));
  return out;
}

TEST(ConvertValuesTest, RoundsFloats) {
  const auto out = Convert<float>(std::vector<double>{0.1, -2}, NpyType::kFloat64, Info(TensorType::kFloat32, 2, 4));
  ASSERT_TRUE(out.ok()) << out.status();
  EXPECT_THAT(*out, ElementsAre(0.1f, -2.0f));
}

TEST(ConvertValuesTest, RefusesADoubleThatOverflows) {
  const auto out = Convert<float>(std::vector<double>{1e300}, NpyType::kFloat64, Info(TensorType::kFloat32, 1, 4));
  EXPECT_EQ(ReasonOf(out.status()), "DATA_INVALID");
}

TEST(ConvertValuesTest, ReadsHalfPrecision) {
  const std::vector<uint16_t> halves = {0x3c00, 0xc000, 0x0001, 0x7bff, 0x0000};
  const auto out = Convert<float>(halves, NpyType::kFloat16, Info(TensorType::kFloat32, 5, 4));
  ASSERT_TRUE(out.ok()) << out.status();
  EXPECT_THAT(*out, ElementsAre(1.0f, -2.0f, std::ldexp(1.0f, -24), 65504.0f, 0.0f));
  EXPECT_FALSE(Convert<float>(std::vector<uint16_t>{0x7c00}, NpyType::kFloat16, Info(TensorType::kFloat32, 1, 4)).ok());
}

TEST(ConvertValuesTest, QuantizesForAQuantizedInput) {
  const auto out = Convert<int8_t>(std::vector<float>{0, 0.5f, 0.25f, 100}, NpyType::kFloat32,
                                   Info(TensorType::kInt8, 4, 1, 0.5f, -3));
  ASSERT_TRUE(out.ok()) << out.status();
  EXPECT_THAT(*out, ElementsAre(-3, -2, -3, 127));
}

TEST(ConvertValuesTest, ClampsToWhatSixtyFourBitsHold) {
  const std::vector<float> huge = {1e30f, -1e30f};
  const auto as_signed = Convert<int64_t>(huge, NpyType::kFloat32, Info(TensorType::kInt64, 2, 8, 1));
  ASSERT_TRUE(as_signed.ok()) << as_signed.status();
  EXPECT_THAT(*as_signed, ElementsAre(INT64_MAX - 1023, INT64_MIN));
  const auto as_unsigned = Convert<uint64_t>(huge, NpyType::kFloat32, Info(TensorType::kUint64, 2, 8, 1));
  ASSERT_TRUE(as_unsigned.ok()) << as_unsigned.status();
  EXPECT_THAT(*as_unsigned, ElementsAre(UINT64_MAX - 2047, 0));
}

TEST(ConvertValuesTest, TakesIntegersForAQuantizedInputAsTheyAreOrScaled) {
  const TensorInfo info = Info(TensorType::kInt8, 2, 1, 0.5f, -3);
  EXPECT_THAT(*Convert<int8_t>(std::vector<int32_t>{5, -7}, NpyType::kInt32, info), ElementsAre(5, -7));
  EXPECT_FALSE(Convert<int8_t>(std::vector<int32_t>{5, 200}, NpyType::kInt32, info).ok());
  EXPECT_THAT(*Convert<int8_t>(std::vector<int32_t>{5, 200}, NpyType::kInt32, info, IntegerScaling{0.1, 0}),
              ElementsAre(-2, 37));
}

TEST(ConvertValuesTest, KeepsIntegersOrSaysWhichDoesNotFit) {
  const TensorInfo info = Info(TensorType::kUint32, 2, 4);
  EXPECT_THAT(*Convert<uint32_t>(std::vector<int64_t>{0, 4294967295}, NpyType::kInt64, info),
              ElementsAre(0u, 4294967295u));
  const auto negative = Convert<uint32_t>(std::vector<int32_t>{0, -1}, NpyType::kInt32, info);
  EXPECT_THAT(std::string(negative.status().message()), HasSubstr("element 1 is -1"));
  EXPECT_FALSE(Convert<uint8_t>(std::vector<uint8_t>{0, 2}, NpyType::kUint8, Info(TensorType::kBool, 2, 1)).ok());
}

TEST(ConvertInputTest, QuantizesAndDequantizesBetweenModels) {
  const std::string floats = Bytes<float>({0, 1});
  const absl::Span<const uint8_t> bytes(reinterpret_cast<const uint8_t*>(floats.data()), floats.size());
  const TensorInfo real = Info(TensorType::kFloat32, 2, 4), quantized = Info(TensorType::kUint8, 2, 1, 0.01f, 10);
  std::vector<uint8_t> out, back;
  ASSERT_TRUE(ConvertInput(real, bytes, quantized, &out).ok());
  EXPECT_THAT(out, ElementsAre(10, 110));
  ASSERT_TRUE(ConvertInput(quantized, out, real, &back).ok());
  EXPECT_NEAR(RealValue(real, back, 1), 1, 1e-6);
  EXPECT_EQ(ReasonOf(ConvertInput(real, bytes, Info(TensorType::kInt32, 2, 4), &out)), "MODELS_DIFFER");
  EXPECT_EQ(ReasonOf(ConvertInput(real, bytes, Info(TensorType::kFloat32, 3, 4), &out)), "MODELS_DIFFER");
}

}  // namespace
}  // namespace lathe
