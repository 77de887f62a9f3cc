#include "optimizer/model/sparsity_verifier.h"

#include <vector>

#include "absl/strings/str_format.h"
#include "common/status.h"
#include "optimizer/model/model_verifier.h"
#include "optimizer/model/op_options.h"

namespace lathe {
namespace {

template <typename... Args>
absl::Status Corrupt(const absl::FormatSpec<Args...>& format, const Args&... args) {
  return MakeError(absl::StatusCode::kInvalidArgument, "MODEL_CORRUPT",
                   "sparse layout: " + absl::StrFormat(format, args...));
}

// What each traversed dimension must span: shape[d] / block for a plain dimension d, the block size for block
// dimensions, which follow the plain ones in numbering.
absl::StatusOr<std::vector<int64_t>> Extents(const Tensor& tensor, const SparsityView& view) {
  const size_t rank = tensor.shape.size();
  const size_t dimensions = rank + view.block_map.size();
  if (view.traversal_order.size() != dimensions || view.dimensions.size() != dimensions)
    return Corrupt("traversal_order has %d entries and dim_metadata %d; rank %d and %d block dimensions ask for %d",
                   view.traversal_order.size(), view.dimensions.size(), rank, view.block_map.size(), dimensions);
  std::vector<int64_t> extents(tensor.shape.begin(), tensor.shape.end());
  extents.resize(dimensions, 0);
  std::vector<bool> seen(dimensions, false);
  for (size_t level = 0; level < dimensions; ++level) {
    const int32_t d = view.traversal_order[level];
    if (d < 0 || static_cast<size_t>(d) >= dimensions || seen[static_cast<size_t>(d)])
      return Corrupt("traversal_order[%d] is %d, not a permutation of %d dimensions", level, d, dimensions);
    seen[static_cast<size_t>(d)] = true;
    if (static_cast<size_t>(d) < rank) continue;
    const size_t block = static_cast<size_t>(d) - rank;
    const int32_t size = view.dimensions[level].dense_size;
    const int32_t blocked = view.block_map[block];
    if (blocked < 0 || static_cast<size_t>(blocked) >= rank)
      return Corrupt("block_map[%d] is %d, but the tensor has %d dimensions", block, blocked, rank);
    int64_t& extent = extents[static_cast<size_t>(blocked)];
    if (!view.dimensions[level].dense || size <= 0 || extent % size != 0)
      return Corrupt("block dimension %d must be dense and its size %d divide dimension %d, which is %d", block, size,
                     blocked, extent);
    extent /= size;
    extents[static_cast<size_t>(d)] = size;
  }
  return extents;
}

// Checks one compressed dimension below `parents` entries; gives the number of its own entries.
absl::StatusOr<int64_t> CheckCompressed(const SparseDimension& dimension, size_t level, int64_t parents,
                                        int64_t extent) {
  if (static_cast<int64_t>(dimension.segments.size()) != parents + 1 || dimension.segments.front() != 0)
    return Corrupt("dimension %d has %d segment bounds; %d rows ask for %d, the first 0", level,
                   dimension.segments.size(), parents, parents + 1);
  for (size_t i = 1; i < dimension.segments.size(); ++i) {
    if (dimension.segments[i] < dimension.segments[i - 1])
      return Corrupt("dimension %d: segment bounds fall from %d to %d", level, dimension.segments[i - 1],
                     dimension.segments[i]);
  }
  if (static_cast<size_t>(dimension.segments.back()) != dimension.indices.size())
    return Corrupt("dimension %d: the last segment ends at %d, but there are %d indices", level,
                   dimension.segments.back(), dimension.indices.size());
  for (int32_t index : dimension.indices) {
    if (index < 0 || index >= extent)
      return Corrupt("dimension %d: index %d, but the dimension spans %d", level, index, extent);
  }
  return static_cast<int64_t>(dimension.indices.size());
}

}  // namespace

absl::Status VerifySparsity(const Tensor& tensor, uint64_t stored_bytes) {
  const SparsityView view = *GetSparsity(tensor);
  LATHE_ASSIGN_OR_RETURN(const std::vector<int64_t> extents, Extents(tensor, view));
  int64_t entries = 1;
  for (size_t level = 0; level < view.dimensions.size(); ++level) {
    const int64_t extent = extents[static_cast<size_t>(view.traversal_order[level])];
    const SparseDimension& dimension = view.dimensions[level];
    if (!dimension.dense) {
      LATHE_ASSIGN_OR_RETURN(entries, CheckCompressed(dimension, level, entries, extent));
      continue;
    }
    if (dimension.dense_size != extent)
      return Corrupt("dimension %d is dense with size %d, but the shape asks for %d", level, dimension.dense_size,
                     extent);
    // Repeated indices could make more entries than the shape has elements.
    if (extent > 0 && entries > kTensorElementsMax / extent)
      return Corrupt("more than %d stored values", kTensorElementsMax);
    entries *= extent;
  }
  const uint64_t bits = static_cast<uint64_t>(TypeBits(tensor.type)) * static_cast<uint64_t>(entries);
  if (entries > tensor.NumElements())
    return Corrupt("%d stored values, but the tensor has %d elements", entries, tensor.NumElements());
  if ((bits + 7) / 8 != stored_bytes)
    return Corrupt("%d stored values of %s take %d bytes, but the buffer has %d", entries, TensorTypeName(tensor.type),
                   (bits + 7) / 8, stored_bytes);
  return absl::OkStatus();
}

}  // namespace lathe
