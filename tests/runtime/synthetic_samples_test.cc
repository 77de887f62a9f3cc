#include "runtime/synthetic_samples.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "tests/support/model_builder.h"

namespace lathe {
namespace {

// int32 "ids" [1,64] -> RESHAPE -> GATHER from a table of `rows` rows; float "x" [1,1000].
Model Embedding(int32_t rows) {
  ModelBuilder builder;
  const TensorId ids = builder.Input("ids", {1, 64}, TensorType::kInt32);
  const TensorId x = builder.Input("x", {1, 1000});
  const TensorId flag = builder.Input("flag", {1, 100}, TensorType::kInt32);
  const TensorId flat = builder.Activation("flat", {64}, TensorType::kInt32);
  const TensorId shape = builder.Constant("shape", {1}, std::vector<int32_t>{64});
  const std::vector<int32_t> new_shape = {64};
  builder.AddOp(OpKind::kReshape, {ids, shape}, {flat}, MakeReshapeOptions(new_shape));
  const TensorId table = builder.RandomConstant("table", {rows, 4}, 1);
  const TensorId rows_out = builder.Activation("rows", {64, 4});
  builder.AddOp(OpKind::kGather, {table, flat}, {rows_out}, MakeGatherOptions(0));
  const TensorId y = builder.Activation("y", {1, 1000});
  builder.AddOp(OpKind::kRelu, {x}, {y});
  builder.Output(rows_out);
  builder.Output(y);
  builder.Output(flag);
  return builder.Build();
}

template <typename T>
std::vector<T> As(const std::vector<uint8_t>& bytes) {
  std::vector<T> values(bytes.size() / sizeof(T));
  memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

TEST(SyntheticSamplesTest, StaysInsideTheRanges) {
  SampleOptions options;
  options.input_low = -2;
  options.input_high = 3;
  auto samples = MakeSyntheticSamples(Embedding(37), options);
  ASSERT_TRUE(samples.ok()) << samples.status();
  EXPECT_TRUE((*samples)->synthetic());
  EXPECT_EQ((*samples)->size(), 16u);
  int32_t largest_id = 0, largest_flag = 0;
  float low = 0, high = 0;
  Sample sample;
  size_t count = 0;
  while (*(*samples)->Next(&sample)) {
    ++count;
    for (int32_t id : As<int32_t>(sample.inputs[0])) {
      EXPECT_GE(id, 0);
      largest_id = std::max(largest_id, id);
    }
    for (float value : As<float>(sample.inputs[1])) {
      low = std::min(low, value);
      high = std::max(high, value);
    }
    for (int32_t flag : As<int32_t>(sample.inputs[2])) largest_flag = std::max(largest_flag, flag);
  }
  EXPECT_EQ(count, 16u);
  EXPECT_EQ(largest_id, 36);
  EXPECT_EQ(largest_flag, 1);
  EXPECT_GE(low, -2);
  EXPECT_LT(low, -1.99);
  EXPECT_LT(high, 3);
  EXPECT_GT(high, 2.99);
}

TEST(SyntheticSamplesTest, DependsOnSeedAlone) {
  const auto first = [](uint64_t seed) {
    SampleOptions options;
    options.seed = seed;
    auto samples = MakeSyntheticSamples(Embedding(37), options);
    Sample sample;
    EXPECT_TRUE(*(*samples)->Next(&sample));
    return sample.inputs;
  };
  EXPECT_EQ(first(7), first(7));
  EXPECT_NE(first(7), first(8));
}

TEST(SyntheticSamplesTest, RefusesARangeThatIsNone) {
  SampleOptions options;
  options.input_low = 1;
  options.input_high = 1;
  EXPECT_EQ(ReasonOf(MakeSyntheticSamples(Embedding(3), options).status()), "BAD_REQUEST");
}

TEST(FindIndexedRowsTest, FollowsTheIndexToItsTable) {
  const Model model = Embedding(37);
  EXPECT_EQ(FindIndexedRows(model, model.subgraphs[0].inputs[0]), 37);
  EXPECT_EQ(FindIndexedRows(model, model.subgraphs[0].inputs[2]), std::nullopt);
}

}  // namespace
}  // namespace lathe
