#include "optimizer/model/op_kind.h"

#include <gtest/gtest.h>

namespace lathe {
namespace {

TEST(OpKindTest, NamesAndNumbersAreThoseOfTheFormat) {
  EXPECT_EQ(OpKindName(OpKind::kConv2d), "CONV_2D");
  EXPECT_EQ(static_cast<int>(OpKind::kConv2d), 3);
  EXPECT_EQ(OpKindName(OpKind::kReluN1To1), "RELU_N1_TO_1");
  EXPECT_EQ(static_cast<int>(OpKind::kUnidirectionalSequenceLstm), 44);
  EXPECT_EQ(OpKindName(OpKind::kStablehloCase), "STABLEHLO_CASE");
  EXPECT_EQ(OpKindName(static_cast<OpKind>(9999)), "UNKNOWN");
  EXPECT_TRUE(IsKnownOpKind(0));
  EXPECT_FALSE(IsKnownOpKind(-1));
  EXPECT_FALSE(IsKnownOpKind(210));
}

TEST(TensorTypeTest, NamesNumbersAndSizes) {
  EXPECT_EQ(TensorTypeName(TensorType::kFloat8E4m3fn), "FLOAT8_E4M3FN");
  EXPECT_EQ(TensorTypeLabel(TensorType::kFloat8E4m3fn), "float8_e4m3fn");
  EXPECT_EQ(static_cast<int>(TensorType::kInt8), 9);
  EXPECT_EQ(TypeBits(TensorType::kInt4), 4);
  EXPECT_EQ(TypeBits(TensorType::kInt2), 2);
  EXPECT_EQ(TypeBits(TensorType::kBool), 8);
  EXPECT_EQ(TypeBits(TensorType::kFloat16), 16);
  EXPECT_EQ(TypeBits(TensorType::kComplex128), 128);
  EXPECT_EQ(TypeBits(TensorType::kString), 0);
  EXPECT_FALSE(IsKnownTensorType(-1));
  EXPECT_FALSE(IsKnownTensorType(23));
  EXPECT_FALSE(IsKnownTensorType(256));
}

TEST(TensorTypeTest, EveryTypeHasASizeOrNoneByDesign) {
  for (int32_t value = 0; IsKnownTensorType(value); ++value) {
    const auto type = static_cast<TensorType>(value);
    const bool sizeless = type == TensorType::kString || type == TensorType::kResource || type == TensorType::kVariant;
    EXPECT_EQ(TypeBits(type) == 0, sizeless) << TensorTypeName(type);
  }
}

}  // namespace
}  // namespace lathe
