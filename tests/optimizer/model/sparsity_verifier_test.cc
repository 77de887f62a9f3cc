#include "optimizer/model/sparsity_verifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "optimizer/model/model_reader.h"
#include "optimizer/model/op_options.h"
#include "tests/support/model_builder.h"
#include "tests/support/shared_dir.h"

namespace lathe {
namespace {

using ::testing::HasSubstr;

// A 4x8 tensor stored by rows of 1x4 blocks: row 0 has block 1, row 1 none, row 2 blocks 0 and 1, row 3 block 0.
SparsityView Blocks() {
  return {.traversal_order = {0, 1, 2},
          .block_map = {1},
          .dimensions = {{.dense = true, .dense_size = 4},
                         {.dense = false, .segments = {0, 1, 1, 3, 4}, .indices = {1, 0, 1, 0}},
                         {.dense = true, .dense_size = 4}}};
}

constexpr uint64_t kStoredBytes = 4 * 4 * sizeof(float);

absl::Status Verify(const SparsityView& view, uint64_t bytes = kStoredBytes) {
  Tensor tensor;
  tensor.shape = {4, 8};
  SetSparsity(tensor, view);
  return VerifySparsity(tensor, bytes);
}

template <typename Change>
std::string MessageAfter(const Change& change) {
  SparsityView view = Blocks();
  change(view);
  const absl::Status status = Verify(view);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  return std::string(status.message());
}

TEST(SparsityVerifierTest, AcceptsBlocks) { EXPECT_TRUE(Verify(Blocks()).ok()) << Verify(Blocks()); }

TEST(SparsityVerifierTest, ViewComesBackAsSet) {
  Tensor tensor;
  tensor.shape = {4, 8};
  SetSparsity(tensor, Blocks());
  const SparsityView view = *GetSparsity(tensor);
  EXPECT_EQ(view.traversal_order, Blocks().traversal_order);
  EXPECT_EQ(view.dimensions[1].segments, Blocks().dimensions[1].segments);
  EXPECT_EQ(view.dimensions[1].indices, Blocks().dimensions[1].indices);
  EXPECT_EQ(view.dimensions[2].dense_size, 4);
}

TEST(SparsityVerifierTest, RefusesWhatWouldReadOrWriteOutside) {
  EXPECT_THAT(MessageAfter([](auto& v) { v.traversal_order = {0, 1, 1}; }), HasSubstr("not a permutation"));
  EXPECT_THAT(MessageAfter([](auto& v) { v.traversal_order = {0, 1, 9}; }), HasSubstr("not a permutation"));
  EXPECT_THAT(MessageAfter([](auto& v) { v.traversal_order = {0, 1}; }), HasSubstr("traversal_order has 2 entries"));
  EXPECT_THAT(MessageAfter([](auto& v) { v.block_map = {2}; }), HasSubstr("block_map[0] is 2"));
  EXPECT_THAT(MessageAfter([](auto& v) { v.dimensions[2].dense_size = 3; }), HasSubstr("divide dimension 1"));
  EXPECT_THAT(MessageAfter([](auto& v) { v.dimensions[2].dense_size = 0; }), HasSubstr("divide dimension 1"));
  EXPECT_THAT(MessageAfter([](auto& v) { v.dimensions[0].dense_size = 5; }), HasSubstr("dense with size 5"));
  EXPECT_THAT(MessageAfter([](auto& v) { v.dimensions[1].segments = {0, 1, 1, 3}; }), HasSubstr("4 segment bounds"));
  EXPECT_THAT(MessageAfter([](auto& v) { v.dimensions[1].segments = {0, 3, 1, 3, 4}; }), HasSubstr("fall from 3 to 1"));
  EXPECT_THAT(MessageAfter([](auto& v) { v.dimensions[1].segments = {0, 1, 1, 3, 400}; }), HasSubstr("ends at 400"));
  EXPECT_THAT(MessageAfter([](auto& v) { v.dimensions[1].indices[2] = 2; }), HasSubstr("index 2, but"));
  EXPECT_THAT(MessageAfter([](auto& v) { v.dimensions[1].segments.clear(); }), HasSubstr("0 segment bounds"));
}

TEST(SparsityVerifierTest, RefusesAnotherNumberOfStoredBytes) {
  EXPECT_THAT(std::string(Verify(Blocks(), 60).message()), HasSubstr("16 stored values of FLOAT32 take 64 bytes"));
}

TEST(SparsityVerifierTest, RefusesMoreValuesThanTheShapeHas) {
  SparsityView view = Blocks();
  view.dimensions[1].segments = {0, 9, 9, 9, 9};
  view.dimensions[1].indices = std::vector<int32_t>(9, 0);
  EXPECT_THAT(std::string(Verify(view, 9 * 16).message()), HasSubstr("36 stored values, but the tensor has 32"));
}

}  // namespace
}  // namespace lathe
