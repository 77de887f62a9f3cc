#ifndef LATHE_TESTS_SUPPORT_MODEL_MUTATOR_H_
#define LATHE_TESTS_SUPPORT_MODEL_MUTATOR_H_

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "common/status.h"

namespace lathe {

// Damaged copies of one model file: bits flipped, words set to extremes, pieces copied elsewhere, the end cut off. Nine
// of ten changes hit the graph, where structure is, and not the weights. The same seed gives the same files anywhere.
class ModelMutator {
 public:
  // The file's errors; InvalidArgument when it is not a model.
  static absl::StatusOr<std::unique_ptr<ModelMutator>> Open(const std::string& path, uint32_t seed);

  // The next damaged file. The bytes are valid until the next call; they are 16-aligned.
  absl::Span<const uint8_t> Next();

 private:
  ModelMutator(std::vector<uint8_t> bytes, std::vector<std::pair<size_t, size_t>> graph_ranges, uint32_t seed);
  size_t Below(size_t bound) { return bound == 0 ? 0 : random_() % bound; }
  size_t Place();
  void Set(size_t place, uint8_t value);
  void Mutate();

  std::vector<uint8_t> bytes_;
  std::vector<std::pair<size_t, size_t>> graph_ranges_;  // [first, last) of what is not weights
  std::vector<std::pair<size_t, uint8_t>> undo_;
  std::mt19937 random_;
};

// Reads the bytes as a model and, when they are one, indexes, writes and sometimes dumps it. OK for any orderly
// outcome; Internal, with the text, for an error of another kind than InvalidArgument. A crash is a crash.
absl::Status CheckMutatedModel(absl::Span<const uint8_t> bytes);

}  // namespace lathe

#endif  // LATHE_TESTS_SUPPORT_MODEL_MUTATOR_H_
