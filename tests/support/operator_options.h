#ifndef LATHE_TESTS_SUPPORT_OPERATOR_OPTIONS_H_
#define LATHE_TESTS_SUPPORT_OPERATOR_OPTIONS_H_

#include <cstdint>

#include "optimizer/model/model.h"

namespace lathe {

// Options tables that no pass makes and that operators of made-up networks need all the same; the kernels refuse them
// when they are absent.
OpOptions MakeSplitOptions(int32_t count);   // SPLIT
OpOptions MakeSplitVOptions(int32_t count);  // SPLIT_V
OpOptions MakePackOptions(int32_t count, int32_t axis);
OpOptions MakeUnpackOptions(int32_t count, int32_t axis);
OpOptions MakeSpaceToDepthOptions(int32_t block_size);
OpOptions MakeStridedSliceOptions(int32_t shrink_axis_mask, int32_t ellipsis_mask = 0, int32_t new_axis_mask = 0);
OpOptions MakeMirrorPadOptions(bool symmetric);
OpOptions MakeSqueezeOptions(int32_t axis);

}  // namespace lathe

#endif  // LATHE_TESTS_SUPPORT_OPERATOR_OPTIONS_H_
