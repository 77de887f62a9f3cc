#include "runtime/reference_outputs.h"

#include <utility>

namespace lathe {

void ReferenceOutputs::Keep(size_t sample, const Interpreter& interpreter, size_t count) {
  uint64_t bytes = 0;
  for (size_t i = 0; i < count; ++i) bytes += interpreter.Output(i).size();
  const std::lock_guard<std::mutex> lock(mutex_);
  if (bytes > bytes_left_ || by_sample_.count(sample) > 0) return;
  bytes_left_ -= bytes;
  if (infos_.empty())
    infos_.assign(interpreter.outputs().begin(), interpreter.outputs().begin() + static_cast<ptrdiff_t>(count));
  std::vector<std::vector<uint8_t>> outputs;
  for (size_t i = 0; i < count; ++i) {
    const absl::Span<const uint8_t> output = interpreter.Output(i);
    outputs.emplace_back(output.begin(), output.end());
  }
  by_sample_.emplace(sample, std::move(outputs));
}

size_t ReferenceOutputs::size() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return by_sample_.size();
}

const std::vector<std::vector<uint8_t>>* ReferenceOutputs::Find(size_t sample) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = by_sample_.find(sample);
  return found == by_sample_.end() ? nullptr : &found->second;
}

}  // namespace lathe
