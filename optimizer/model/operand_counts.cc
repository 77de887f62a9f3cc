#include "optimizer/model/operand_counts.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <limits>

namespace lathe {
namespace {

constexpr size_t kMany = std::numeric_limits<size_t>::max();

// Counts as LiteRT's kernels check them when they prepare, widened where older runtimes took more.
constexpr OperandCounts kCounts[] = {
    {OpKind::kAdd, 2, 2, 1, 1},
    {OpKind::kAveragePool2d, 1, 1, 1, 1},
    {OpKind::kConcatenation, 1, kMany, 1, 1},
    {OpKind::kConv2d, 2, 3, 1, 1},
    {OpKind::kDepthwiseConv2d, 2, 3, 1, 1},
    {OpKind::kDepthToSpace, 1, 1, 1, 1},
    {OpKind::kDequantize, 1, 1, 1, 1},
    {OpKind::kEmbeddingLookup, 2, 2, 1, 1},
    {OpKind::kFullyConnected, 2, 3, 1, 2},  // two: the workspace of the shuffled format
    {OpKind::kL2Normalization, 1, 1, 1, 1},
    {OpKind::kL2Pool2d, 1, 1, 1, 1},
    {OpKind::kLogistic, 1, 1, 1, 1},
    {OpKind::kLstm, 5, 24, 1, 4, false},
    {OpKind::kMaxPool2d, 1, 1, 1, 1},
    {OpKind::kMul, 2, 2, 1, 1},
    {OpKind::kRelu, 1, 1, 1, 1},
    {OpKind::kReluN1To1, 1, 1, 1, 1},
    {OpKind::kRelu6, 1, 1, 1, 1},
    {OpKind::kReshape, 1, 2, 1, 1},
    {OpKind::kResizeBilinear, 2, 2, 1, 1},
    {OpKind::kRnn, 5, 5, 1, 2},
    {OpKind::kSoftmax, 1, 1, 1, 1},
    {OpKind::kSpaceToDepth, 1, 1, 1, 1},
    {OpKind::kSvdf, 4, 5, 1, 2, false},
    {OpKind::kTanh, 1, 1, 1, 1},
    {OpKind::kPad, 2, 2, 1, 1},
    {OpKind::kUnidirectionalSequenceRnn, 5, 5, 1, 2},
    {OpKind::kGather, 2, 2, 1, 1},
    {OpKind::kBatchToSpaceNd, 3, 3, 1, 1},
    {OpKind::kSpaceToBatchNd, 3, 3, 1, 1},
    {OpKind::kTranspose, 2, 2, 1, 1},
    {OpKind::kMean, 2, 2, 1, 1},
    {OpKind::kSub, 2, 2, 1, 1},
    {OpKind::kDiv, 2, 2, 1, 1},
    {OpKind::kSqueeze, 1, 1, 1, 1},
    {OpKind::kUnidirectionalSequenceLstm, 20, 24, 1, 3, false},
    {OpKind::kStridedSlice, 4, 5, 1, 1},
    {OpKind::kExp, 1, 1, 1, 1},
    {OpKind::kSplit, 2, 2, 1, kMany},
    {OpKind::kLogSoftmax, 1, 1, 1, 1},
    {OpKind::kBidirectionalSequenceLstm, 39, 48, 1, 2, false},
    {OpKind::kCast, 1, 1, 1, 1},
    {OpKind::kPrelu, 2, 2, 1, 1},
    {OpKind::kMaximum, 2, 2, 1, 1},
    {OpKind::kMinimum, 2, 2, 1, 1},
    {OpKind::kNeg, 1, 1, 1, 1},
    {OpKind::kPadv2, 3, 3, 1, 1},
    {OpKind::kSlice, 3, 3, 1, 1},
    {OpKind::kTransposeConv, 3, 4, 1, 1},
    {OpKind::kTile, 2, 2, 1, 1},
    {OpKind::kExpandDims, 2, 2, 1, 1},
    {OpKind::kSum, 2, 2, 1, 1},
    {OpKind::kSqrt, 1, 1, 1, 1},
    {OpKind::kRsqrt, 1, 1, 1, 1},
    {OpKind::kReduceProd, 2, 2, 1, 1},
    {OpKind::kReduceMax, 2, 2, 1, 1},
    {OpKind::kReduceMin, 2, 2, 1, 1},
    {OpKind::kPack, 1, kMany, 1, 1},
    {OpKind::kUnpack, 1, 1, 1, kMany},
    {OpKind::kResizeNearestNeighbor, 2, 2, 1, 1},
    {OpKind::kLeakyRelu, 1, 1, 1, 1},
    {OpKind::kSquaredDifference, 2, 2, 1, 1},
    {OpKind::kMirrorPad, 2, 2, 1, 1},
    {OpKind::kAbs, 1, 1, 1, 1},
    {OpKind::kSplitV, 3, 3, 1, kMany},
    {OpKind::kElu, 1, 1, 1, 1},
    {OpKind::kQuantize, 1, 1, 1, 1},
    {OpKind::kHardSwish, 1, 1, 1, 1},
    {OpKind::kIf, 1, kMany, 0, kMany},
    {OpKind::kDensify, 1, 1, 1, 1},
    {OpKind::kBatchMatmul, 2, 2, 1, 1},
    {OpKind::kConv3d, 2, 3, 1, 1},
    {OpKind::kGelu, 1, 1, 1, 1},
    {OpKind::kRelu0To1, 1, 1, 1, 1},
};

}  // namespace

const OperandCounts* FindOperandCounts(OpKind kind) {
  static const auto* const by_kind = [] {
    auto* sorted = new std::array<const OperandCounts*, std::size(kCounts)>();
    for (size_t i = 0; i < sorted->size(); ++i) (*sorted)[i] = &kCounts[i];
    std::sort(sorted->begin(), sorted->end(), [](auto* a, auto* b) { return a->kind < b->kind; });
    return sorted;
  }();
  const auto found = std::lower_bound(by_kind->begin(), by_kind->end(), kind,
                                      [](const OperandCounts* counts, OpKind k) { return counts->kind < k; });
  return found != by_kind->end() && (*found)->kind == kind ? *found : nullptr;
}

}  // namespace lathe
