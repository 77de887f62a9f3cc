#include "optimizer/passes/stored_constant.h"

#include <gmock/gmock.h>

#include "tests/support/model_builder.h"

namespace lathe {
namespace {

using ::testing::ElementsAre;

// A layer that reads a constant, which nothing else looks at.
class StoredConstantTest : public testing::Test {
 protected:
  std::optional<StoredConstant> Read(TensorId operand) {
    const Model& model = builder_.model();
    return ReadStoredConstant(model, model.subgraphs[0], UseMap(model.subgraphs[0]), operand);
  }
  ModelBuilder builder_;
};

TEST_F(StoredConstantTest, ReadsPackedIntegersByChannel) {
  Quantization quantization;
  quantization.scale = {0.5f, 2};
  quantization.zero_point = {0, 0};
  const TensorId id = builder_.Constant("w", {2, 2}, TensorType::kInt4, {0x7f, 0x90}, quantization);  // -1 7 0 -7
  const auto constant = Read(id);
  ASSERT_TRUE(constant);
  EXPECT_THAT(constant->values, ElementsAre(-0.5f, 3.5f, 0.0f, -14.0f));
  EXPECT_EQ(constant->LimitsOf(1).low, -14);
  EXPECT_EQ(constant->LimitsOf(1).high, 14);
}

TEST_F(StoredConstantTest, ReadsUnsignedIntegersWithAZeroPoint) {
  const TensorId id = builder_.Constant("w", {3}, TensorType::kUint8, {0, 128, 255}, PerTensor(0.5f, 128));
  const auto constant = Read(id);
  ASSERT_TRUE(constant);
  EXPECT_THAT(constant->values, ElementsAre(-64.0f, 0.0f, 63.5f));
  EXPECT_EQ(constant->LimitsOf(0).low, -64);
  EXPECT_EQ(constant->LimitsOf(0).high, 63.5);
}

TEST_F(StoredConstantTest, ReadsBlocks) {
  // 0x3c00 is 1, 0x4000 is 2.
  const TensorId scales = builder_.Constant("s", {1, 2}, TensorType::kFloat16, {0x00, 0x3c, 0x00, 0x40});
  std::vector<uint8_t> levels(32, 0x33);
  const TensorId id = builder_.Constant("w", {1, 64}, TensorType::kInt4, levels, MakeBlockwiseQuantization(scales, 32));
  const auto constant = Read(id);
  ASSERT_TRUE(constant);
  EXPECT_EQ(constant->values.front(), 3);
  EXPECT_EQ(constant->values.back(), 6);
  EXPECT_EQ(constant->ScaleIndex(31), 0u);
  EXPECT_EQ(constant->ScaleIndex(32), 1u);
}

TEST_F(StoredConstantTest, LooksBehindDequantize) {
  const TensorId half = builder_.Constant("w16", {2}, TensorType::kFloat16, {0x00, 0x3c, 0x00, 0xc0});
  const TensorId id = builder_.Activation("w", {2});
  builder_.AddOp(OpKind::kDequantize, {half}, {id});
  const auto constant = Read(id);
  ASSERT_TRUE(constant);
  EXPECT_THAT(constant->values, ElementsAre(1.0f, -2.0f));
  EXPECT_EQ(constant->type, TensorType::kFloat16);
}

TEST_F(StoredConstantTest, IndicesAreNoNumbers) {
  EXPECT_FALSE(Read(builder_.Constant("axes", {2}, std::vector<int32_t>{1, 2})));
  EXPECT_FALSE(Read(TensorId()));
  EXPECT_FALSE(Read(builder_.Input("x", {2})));
}

// Scales that do not fit the shape come from damaged files.
TEST_F(StoredConstantTest, RefusesScalesThatDoNotFit) {
  Quantization quantization;
  quantization.scale = {1, 2, 3};
  quantization.zero_point = {0, 0, 0};
  EXPECT_FALSE(Read(builder_.Constant("w", {2, 2}, TensorType::kInt8, {1, 2, 3, 4}, quantization)));
  quantization.quantized_dimension = 7;
  EXPECT_FALSE(Read(builder_.Constant("v", {2, 2}, TensorType::kInt8, {1, 2, 3, 4}, quantization)));
}

}  // namespace
}  // namespace lathe
