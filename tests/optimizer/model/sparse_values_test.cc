#include "optimizer/model/sparse_values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "optimizer/model/op_options.h"

namespace lathe {
namespace {

using ::testing::ElementsAre;

std::vector<uint8_t> Bytes(const std::vector<float>& values) {
  std::vector<uint8_t> bytes(values.size() * sizeof(float));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

std::vector<float> DenseOf(std::vector<int32_t> shape, const SparsityView& view, const std::vector<float>& stored) {
  Tensor tensor;
  tensor.shape = std::move(shape);
  SetSparsity(tensor, view);
  const std::vector<uint8_t> bytes = Densify(tensor, Bytes(stored));
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

TEST(SparseValuesTest, RowsOfSingleValues) {
  const SparsityView view{
      .traversal_order = {0, 1},
      .block_map = {},
      .dimensions = {{.dense = true, .dense_size = 2}, {.dense = false, .segments = {0, 1, 3}, .indices = {2, 0, 1}}}};
  EXPECT_THAT(DenseOf({2, 3}, view, {5, 6, 7}), ElementsAre(0, 0, 5, 6, 7, 0));
}

TEST(SparseValuesTest, BlocksAlongTheColumns) {
  const SparsityView view{.traversal_order = {0, 1, 2},
                          .block_map = {1},
                          .dimensions = {{.dense = true, .dense_size = 2},
                                         {.dense = false, .segments = {0, 1, 2}, .indices = {1, 0}},
                                         {.dense = true, .dense_size = 2}}};
  EXPECT_THAT(DenseOf({2, 4}, view, {1, 2, 3, 4}), ElementsAre(0, 0, 1, 2, 3, 4, 0, 0));
}

TEST(SparseValuesTest, TransposedTraversal) {
  const SparsityView view{
      .traversal_order = {1, 0},
      .block_map = {},
      .dimensions = {{.dense = true, .dense_size = 3}, {.dense = false, .segments = {0, 1, 1, 2}, .indices = {1, 0}}}};
  // Column 0 holds 8 in row 1, column 2 holds 9 in row 0.
  EXPECT_THAT(DenseOf({2, 3}, view, {8, 9}), ElementsAre(0, 0, 9, 8, 0, 0));
}

TEST(SparseValuesTest, DimensionSplitTwiceIsLeftAlone) {
  Tensor tensor;
  tensor.shape = {8};
  SetSparsity(tensor, {.traversal_order = {0, 1, 2},
                       .block_map = {0, 0},
                       .dimensions = {{.dense = true, .dense_size = 2},
                                      {.dense = true, .dense_size = 2},
                                      {.dense = true, .dense_size = 2}}});
  EXPECT_FALSE(IsDensifiable(tensor));
}

}  // namespace
}  // namespace lathe
