#include "optimizer/passes/weight_histograms.h"

#include <gmock/gmock.h>

#include <cstring>
#include <limits>
#include <numeric>

namespace lathe {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

Model WithConstant(const std::string& name, TensorType type, std::vector<int32_t> shape, std::vector<uint8_t> bytes) {
  Model model;
  model.buffers.resize(1);
  model.buffers.push_back(Buffer::Owned(std::move(bytes)));
  Tensor tensor;
  tensor.name = name;
  tensor.type = type;
  tensor.shape = std::move(shape);
  tensor.buffer = BufferId(1);
  model.subgraphs.emplace_back().tensors.push_back(tensor);
  return model;
}

std::vector<uint8_t> Bytes(const std::vector<float>& values) {
  std::vector<uint8_t> bytes(values.size() * sizeof(float));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

// -32 .. 31 in the first row, twice that in the second.
Model Float() {
  std::vector<float> values;
  for (int i = 0; i < 128; ++i) values.push_back(static_cast<float>((i % 64 - 32) * (i < 64 ? 1 : 2)));
  return WithConstant("w", TensorType::kFloat32, {2, 64}, Bytes(values));
}

Model Int8(float second_scale) {
  std::vector<uint8_t> levels;
  for (int i = 0; i < 128; ++i) levels.push_back(static_cast<uint8_t>(static_cast<int8_t>(i % 64 - 32)));
  Model model = WithConstant("w", TensorType::kInt8, {2, 64}, levels);
  model.subgraphs[0].tensors[0].quantization.scale = {1, second_scale};
  model.subgraphs[0].tensors[0].quantization.zero_point = {0, 0};
  return model;
}

uint32_t Sum(const std::vector<uint32_t>& bins) { return std::accumulate(bins.begin(), bins.end(), 0u); }

TEST(WeightHistogramsTest, CountsRealValuesByTheScaleOfTheirChannel) {
  const auto histograms = DescribeWeights(Float(), Int8(2));
  ASSERT_THAT(histograms, SizeIs(1));
  const WeightHistogram& found = histograms[0];
  EXPECT_EQ(found.name, "w");
  EXPECT_EQ(found.bytes_before, 512u);
  EXPECT_EQ(found.bytes_after, 128u);
  EXPECT_EQ(found.values, 128u);
  EXPECT_EQ(found.min, -64);
  EXPECT_EQ(found.max, 62);
  ASSERT_THAT(found.before, SizeIs(kHistogramBins));
  EXPECT_EQ(Sum(found.before), 128u);
  EXPECT_EQ(found.before, found.after);
}

TEST(WeightHistogramsTest, ShowsValuesThatMoved) {
  const auto histograms = DescribeWeights(Float(), Int8(1));
  ASSERT_THAT(histograms, SizeIs(1));
  EXPECT_GT(histograms[0].before.front(), 0u);
  EXPECT_EQ(histograms[0].after.front(), 0u);  // nothing is below -32 any more
  EXPECT_EQ(Sum(histograms[0].after), 128u);
}

TEST(WeightHistogramsTest, ReadsPackedLevels) {
  std::vector<float> values;
  for (int i = 0; i < 64; ++i) values.push_back(static_cast<float>(i % 2 == 0 ? 3 : -4));
  Model packed = WithConstant("w", TensorType::kInt4, {64}, std::vector<uint8_t>(32, 0xC3));  // low nibble first
  packed.subgraphs[0].tensors[0].quantization.scale = {1};
  packed.subgraphs[0].tensors[0].quantization.zero_point = {0};
  const auto histograms = DescribeWeights(WithConstant("w", TensorType::kFloat32, {64}, Bytes(values)), packed);
  ASSERT_THAT(histograms, SizeIs(1));
  EXPECT_EQ(histograms[0].before, histograms[0].after);
  EXPECT_EQ(histograms[0].after.front(), 32u);
  EXPECT_EQ(histograms[0].after.back(), 32u);
}

TEST(WeightHistogramsTest, LeavesOutWhatDidNotChange) { EXPECT_THAT(DescribeWeights(Float(), Float()), IsEmpty()); }

TEST(WeightHistogramsTest, LeavesOutOtherShapesAndNames) {
  Model renamed = Int8(2), reshaped = Int8(2);
  renamed.subgraphs[0].tensors[0].name = "v";
  reshaped.subgraphs[0].tensors[0].shape = {64, 2};
  EXPECT_THAT(DescribeWeights(Float(), renamed), IsEmpty());
  EXPECT_THAT(DescribeWeights(Float(), reshaped), IsEmpty());
}

TEST(WeightHistogramsTest, LeavesOutNamesThatStandTwice) {
  Model twice = Int8(2);
  twice.subgraphs[0].tensors.push_back(twice.subgraphs[0].tensors[0]);
  EXPECT_THAT(DescribeWeights(Float(), twice), IsEmpty());
}

TEST(WeightHistogramsTest, LeavesOutValuesThatAreNotFinite) {
  std::vector<float> values(128, 1);
  values[5] = std::numeric_limits<float>::infinity();
  EXPECT_THAT(DescribeWeights(WithConstant("w", TensorType::kFloat32, {2, 64}, Bytes(values)), Int8(2)), IsEmpty());
}

TEST(WeightHistogramsTest, GivesTheLargestOnly) {
  Model before = Float(), after = Int8(2);
  for (int i = 0; i < 10; ++i) {
    for (Model* model : {&before, &after}) {
      Tensor tensor = model->subgraphs[0].tensors[0];
      tensor.name = "w" + std::to_string(i);
      model->subgraphs[0].tensors.push_back(tensor);
    }
  }
  EXPECT_THAT(DescribeWeights(before, after), SizeIs(kWeightHistograms));
}

}  // namespace
}  // namespace lathe
