#ifndef LATHE_OPTIMIZER_MODEL_IDS_H_
#define LATHE_OPTIMIZER_MODEL_IDS_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace lathe {

// An index into one of the model's vectors. Each vector has its own type, so that a tensor's id cannot be used where an
// operator's is meant: that is a compile error, not a wrong model.
template <typename Tag>
struct Id {
  int32_t value = -1;

  Id() = default;
  explicit constexpr Id(int32_t v) : value(v) {}
  explicit constexpr Id(size_t v) : value(static_cast<int32_t>(v)) {}
  // False for an optional operand that is left out (-1 in the file).
  bool valid() const { return value >= 0; }
  size_t index() const { return static_cast<size_t>(value); }
  auto operator<=>(const Id&) const = default;
};

using SubgraphId = Id<struct SubgraphTag>;
using TensorId = Id<struct TensorTag>;
using OpId = Id<struct OpTag>;
using BufferId = Id<struct BufferTag>;

}  // namespace lathe

template <typename Tag>
struct std::hash<lathe::Id<Tag>> {
  size_t operator()(const lathe::Id<Tag>& id) const noexcept { return std::hash<int32_t>()(id.value); }
};

#endif  // LATHE_OPTIMIZER_MODEL_IDS_H_
