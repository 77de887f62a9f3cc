#include "tests/support/operator_options.h"

#include <memory>
#include <utility>

#include "optimizer/model/schema_generated.h"

namespace lathe {
namespace {

template <typename Table, typename Fill>
OpOptions Make(const Fill& fill) {
  Table table;
  fill(table);
  auto holder = std::make_shared<tflite::BuiltinOptionsUnion>();
  holder->Set(std::move(table));
  OpOptions options;
  options.builtin = std::move(holder);
  return options;
}

}  // namespace

OpOptions MakeSplitOptions(int32_t count) {
  return Make<tflite::SplitOptionsT>([&](auto& table) { table.num_splits = count; });
}

OpOptions MakeSplitVOptions(int32_t count) {
  return Make<tflite::SplitVOptionsT>([&](auto& table) { table.num_splits = count; });
}

OpOptions MakePackOptions(int32_t count, int32_t axis) {
  return Make<tflite::PackOptionsT>([&](auto& table) {
    table.values_count = count;
    table.axis = axis;
  });
}

OpOptions MakeUnpackOptions(int32_t count, int32_t axis) {
  return Make<tflite::UnpackOptionsT>([&](auto& table) {
    table.num = count;
    table.axis = axis;
  });
}

OpOptions MakeSpaceToDepthOptions(int32_t block_size) {
  return Make<tflite::SpaceToDepthOptionsT>([&](auto& table) { table.block_size = block_size; });
}

OpOptions MakeStridedSliceOptions(int32_t shrink_axis_mask, int32_t ellipsis_mask, int32_t new_axis_mask) {
  return Make<tflite::StridedSliceOptionsT>([&](auto& table) {
    table.shrink_axis_mask = shrink_axis_mask;
    table.ellipsis_mask = ellipsis_mask;
    table.new_axis_mask = new_axis_mask;
  });
}

OpOptions MakeMirrorPadOptions(bool symmetric) {
  return Make<tflite::MirrorPadOptionsT>(
      [&](auto& table) { table.mode = symmetric ? tflite::MirrorPadMode::SYMMETRIC : tflite::MirrorPadMode::REFLECT; });
}

OpOptions MakeSqueezeOptions(int32_t axis) {
  return Make<tflite::SqueezeOptionsT>([&](auto& table) { table.squeeze_dims = {axis}; });
}

}  // namespace lathe
