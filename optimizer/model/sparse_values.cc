#include "optimizer/model/sparse_values.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "optimizer/model/op_options.h"

namespace lathe {
namespace {

// Walks the levels of the layout. Each level's index moves the place in the dense tensor by a fixed step: the stride of
// its dimension, times the block size where the dimension is split into blocks (the block's own level moves by one
// stride).
class Walker {
 public:
  Walker(const Tensor& tensor, const SparsityView& view, absl::Span<const uint8_t> stored)
      : view_(view), stored_(stored), width_(static_cast<size_t>(TypeBits(tensor.type)) / 8), steps_(Steps(tensor)) {
    dense_.resize(static_cast<size_t>(tensor.NumElements()) * width_);
  }

  std::vector<uint8_t> Walk() {
    Visit(0, 0, 0);
    return std::move(dense_);
  }

 private:
  std::vector<size_t> Steps(const Tensor& tensor) const {
    const size_t rank = tensor.shape.size();
    std::vector<size_t> strides(rank, 1);
    for (size_t d = rank; d-- > 1;) strides[d - 1] = strides[d] * static_cast<size_t>(tensor.shape[d]);
    std::vector<size_t> by_dimension = strides;
    by_dimension.resize(rank + view_.block_map.size());
    for (size_t level = 0; level < view_.dimensions.size(); ++level) {
      const auto d = static_cast<size_t>(view_.traversal_order[level]);
      if (d < rank) continue;
      const auto blocked = static_cast<size_t>(view_.block_map[d - rank]);
      by_dimension[d] = strides[blocked];
      by_dimension[blocked] = strides[blocked] * static_cast<size_t>(view_.dimensions[level].dense_size);
    }
    std::vector<size_t> steps;
    for (int32_t d : view_.traversal_order) steps.push_back(by_dimension[static_cast<size_t>(d)]);
    return steps;
  }

  // Recursion is as deep as the layout has levels: rank and block dimensions.
  void Visit(size_t level, size_t entry, size_t place) {
    if (level == view_.dimensions.size()) {
      std::memcpy(dense_.data() + place * width_, stored_.data() + entry * width_, width_);
      return;
    }
    const SparseDimension& dimension = view_.dimensions[level];
    if (dimension.dense) {
      const auto size = static_cast<size_t>(dimension.dense_size);
      for (size_t i = 0; i < size; ++i) Visit(level + 1, entry * size + i, place + i * steps_[level]);
      return;
    }
    const auto begin = static_cast<size_t>(dimension.segments[entry]);
    const auto end = static_cast<size_t>(dimension.segments[entry + 1]);
    for (size_t i = begin; i < end; ++i) {
      Visit(level + 1, i, place + static_cast<size_t>(dimension.indices[i]) * steps_[level]);
    }
  }

  const SparsityView& view_;
  absl::Span<const uint8_t> stored_;
  size_t width_;
  std::vector<size_t> steps_;
  std::vector<uint8_t> dense_;
};

}  // namespace

bool IsDensifiable(const Tensor& tensor) {
  const std::optional<SparsityView> view = GetSparsity(tensor);
  if (!view || TypeBits(tensor.type) < 8) return false;
  std::vector<int32_t> blocked = view->block_map;
  std::sort(blocked.begin(), blocked.end());
  return std::adjacent_find(blocked.begin(), blocked.end()) == blocked.end();
}

std::vector<uint8_t> Densify(const Tensor& tensor, absl::Span<const uint8_t> stored) {
  const SparsityView view = *GetSparsity(tensor);
  return Walker(tensor, view, stored).Walk();
}

}  // namespace lathe
