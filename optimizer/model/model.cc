#include "optimizer/model/model.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_format.h"

namespace lathe {
namespace {

// A name from a file, safe for logs, terminals and UTF-8 messages.
std::string Printable(const std::string& name) {
  constexpr size_t kNameBytesMax = 120;
  if (name.size() <= kNameBytesMax) return absl::CHexEscape(name);
  return absl::CHexEscape(name.substr(0, kNameBytesMax)) + "...";
}

template <typename T>
absl::Span<const T> DataAs(absl::Span<const uint8_t> bytes) {
  return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
}

}  // namespace

int64_t Tensor::NumElements() const {
  int64_t count = 1;
  for (int32_t dimension : shape) count *= dimension;
  return count;
}

bool Tensor::HasDynamicShape() const {
  return std::any_of(shape_signature.begin(), shape_signature.end(), [](int32_t d) { return d < 0; });
}

Buffer Buffer::View(absl::Span<const uint8_t> bytes) {
  Buffer buffer;
  buffer.bytes_ = bytes;
  return buffer;
}

Buffer Buffer::Owned(std::vector<uint8_t> bytes) {
  Buffer buffer;
  buffer.owned_ = std::make_shared<const std::vector<uint8_t>>(std::move(bytes));
  buffer.bytes_ = *buffer.owned_;
  return buffer;
}

absl::Span<const float> Model::FloatData(const Tensor& tensor) const {
  return DataAs<float>(buffer(tensor.buffer).bytes());
}

absl::Span<const int32_t> Model::Int32Data(const Tensor& tensor) const {
  return DataAs<int32_t>(buffer(tensor.buffer).bytes());
}

std::string Where(SubgraphId subgraph, OpId op, const Op& operation) {
  std::string kind(OpKindName(operation.kind));
  if (operation.kind == OpKind::kCustom) kind += " '" + Printable(operation.custom_code) + "'";
  return absl::StrFormat("subgraph %d, operator %d %s", subgraph.value, op.value, kind);
}

std::string Where(SubgraphId subgraph, TensorId id, const Tensor& tensor) {
  return absl::StrFormat("subgraph %d, tensor %d '%s'", subgraph.value, id.value, Printable(tensor.name));
}

}  // namespace lathe
