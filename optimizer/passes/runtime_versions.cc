#include "optimizer/passes/runtime_versions.h"

namespace lathe {

int32_t RuntimeVersionMax(OpKind kind) {
  switch (kind) {
    case OpKind::kArgMax:
    case OpKind::kArgMin:
    case OpKind::kAveragePool2d:
    case OpKind::kBidirectionalSequenceLstm:
    case OpKind::kBidirectionalSequenceRnn:
    case OpKind::kFloorDiv:
    case OpKind::kGelu:
    case OpKind::kGreaterEqual:
    case OpKind::kLess:
    case OpKind::kLogistic:
    case OpKind::kMaxPool2d:
    case OpKind::kMean:
    case OpKind::kMirrorPad:
    case OpKind::kReduceMax:
    case OpKind::kReduceMin:
    case OpKind::kRelu:
    case OpKind::kRelu6:
    case OpKind::kRnn:
    case OpKind::kRsqrt:
    case OpKind::kSparseToDense:
    case OpKind::kSplitV:
    case OpKind::kTanh:
    case OpKind::kTile:
    case OpKind::kTopkV2:
    case OpKind::kUnidirectionalSequenceRnn:
      return 3;
    case OpKind::kCos:
    case OpKind::kDepthToSpace:
    case OpKind::kDiv:
    case OpKind::kExp:
    case OpKind::kFakeQuant:
    case OpKind::kFloorMod:
    case OpKind::kGreater:
    case OpKind::kL2Normalization:
    case OpKind::kLeakyRelu:
    case OpKind::kLessEqual:
    case OpKind::kLog:
    case OpKind::kLogSoftmax:
    case OpKind::kRange:
    case OpKind::kReduceProd:
    case OpKind::kSelectV2:
    case OpKind::kSign:
    case OpKind::kSin:
    case OpKind::kSpaceToDepth:
    case OpKind::kSqrt:
    case OpKind::kSquaredDifference:
    case OpKind::kSqueeze:
    case OpKind::kSum:
    case OpKind::kWhere:
      return 2;
    case OpKind::kBatchMatmul:
    case OpKind::kBatchToSpaceNd:
    case OpKind::kBroadcastTo:
    case OpKind::kLstm:
    case OpKind::kMaximum:
    case OpKind::kMinimum:
    case OpKind::kNotEqual:
    case OpKind::kResizeBilinear:
    case OpKind::kResizeNearestNeighbor:
    case OpKind::kReverseV2:
    case OpKind::kSelect:
    case OpKind::kSoftmax:
    case OpKind::kSpaceToBatchNd:
    case OpKind::kSvdf:
    case OpKind::kUnidirectionalSequenceLstm:
      return 4;
    case OpKind::kAbs:
    case OpKind::kEmbeddingLookup:
    case OpKind::kEqual:
    case OpKind::kFill:
    case OpKind::kPack:
    case OpKind::kSplit:
    case OpKind::kSub:
    case OpKind::kTransposeConv:
      return 5;
    case OpKind::kAdd:
    case OpKind::kDynamicUpdateSlice:
    case OpKind::kGatherNd:
    case OpKind::kPad:
    case OpKind::kPadv2:
    case OpKind::kQuantize:
    case OpKind::kUnpack:
      return 6;
    case OpKind::kConcatenation:
    case OpKind::kDepthwiseConv2d:
      return 7;
    case OpKind::kConv2d:
    case OpKind::kGather:
    case OpKind::kMul:
    case OpKind::kSlice:
    case OpKind::kStridedSlice:
      return 8;
    case OpKind::kCast:
    case OpKind::kDequantize:
    case OpKind::kTranspose:
      return 9;
    case OpKind::kFullyConnected:
      return 14;
    case OpKind::kCustom:
      return 1 << 30;  // its own affair
    default:
      return 1;
  }
}

}  // namespace lathe
