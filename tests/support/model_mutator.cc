#include "tests/support/model_mutator.h"

#include <algorithm>

#include "common/file.h"
#include "optimizer/model/dump.h"
#include "optimizer/model/model_reader.h"
#include "optimizer/model/model_writer.h"
#include "optimizer/model/uses.h"

namespace lathe {
namespace {

// What lies between the buffers of a model.
std::vector<std::pair<size_t, size_t>> GraphRanges(absl::Span<const uint8_t> file, const Model& model) {
  std::vector<std::pair<size_t, size_t>> weights;
  for (const Buffer& buffer : model.buffers) {
    const uint8_t* data = buffer.bytes().data();
    if (buffer.empty() || data < file.data() || data >= file.data() + file.size()) continue;
    const auto first = static_cast<size_t>(data - file.data());
    weights.emplace_back(first, first + buffer.bytes().size());
  }
  std::sort(weights.begin(), weights.end());
  std::vector<std::pair<size_t, size_t>> ranges;
  size_t next = 0;
  for (const auto& [first, last] : weights) {
    if (first > next) ranges.emplace_back(next, first);
    next = std::max(next, last);
  }
  if (next < file.size()) ranges.emplace_back(next, file.size());
  return ranges;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ModelMutator>> ModelMutator::Open(const std::string& path, uint32_t seed) {
  LATHE_ASSIGN_OR_RETURN(auto file, MappedFile::Open(path));
  LATHE_ASSIGN_OR_RETURN(const Model model, ReadModel(file));
  const auto bytes = file->bytes();
  return std::unique_ptr<ModelMutator>(new ModelMutator({bytes.begin(), bytes.end()}, GraphRanges(bytes, model), seed));
}

ModelMutator::ModelMutator(std::vector<uint8_t> bytes, std::vector<std::pair<size_t, size_t>> graph_ranges,
                           uint32_t seed)
    : bytes_(std::move(bytes)), graph_ranges_(std::move(graph_ranges)), random_(seed) {}

size_t ModelMutator::Place() {
  if (graph_ranges_.empty() || Below(10) == 0) return Below(bytes_.size());
  size_t total = 0;
  for (const auto& [first, last] : graph_ranges_) total += last - first;
  size_t place = Below(total);
  for (const auto& [first, last] : graph_ranges_) {
    if (place < last - first) return first + place;
    place -= last - first;
  }
  return 0;
}

void ModelMutator::Set(size_t place, uint8_t value) {
  if (place >= bytes_.size()) return;
  undo_.emplace_back(place, bytes_[place]);
  bytes_[place] = value;
}

void ModelMutator::Mutate() {
  static constexpr uint32_t kExtremes[] = {0, 1, 2, 0x7f, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff};
  const size_t place = Place();
  switch (Below(4)) {
    case 0:
      Set(place, static_cast<uint8_t>(bytes_[place] ^ (1U << Below(8))));
      break;
    case 1:
      Set(place, static_cast<uint8_t>(random_()));
      break;
    case 2: {
      const uint32_t value = kExtremes[Below(std::size(kExtremes))];
      for (size_t i = 0; i < 4; ++i) Set(place / 4 * 4 + i, static_cast<uint8_t>(value >> (8 * i)));
      break;
    }
    default: {
      const size_t from = Place() / 4 * 4;
      const size_t count = 4 * (1 + Below(8));
      for (size_t i = 0; i < count && from + i < bytes_.size(); ++i) Set(place / 4 * 4 + i, bytes_[from + i]);
    }
  }
}

absl::Span<const uint8_t> ModelMutator::Next() {
  for (; !undo_.empty(); undo_.pop_back()) bytes_[undo_.back().first] = undo_.back().second;
  for (size_t count = 1 + Below(4); count > 0; --count) Mutate();
  const size_t size = Below(20) == 0 ? Below(bytes_.size()) : bytes_.size();
  return absl::MakeConstSpan(bytes_).subspan(0, size);
}

absl::Status CheckMutatedModel(absl::Span<const uint8_t> bytes) {
  const auto model = ReadModelFromBytes(bytes);
  if (model.status().code() == absl::StatusCode::kInvalidArgument) {
    const std::string reason = ReasonOf(model.status());
    if (reason == "MODEL_CORRUPT" || reason == "MODEL_UNSUPPORTED") return absl::OkStatus();
  }
  if (!model.ok()) return absl::InternalError(model.status().ToString());
  for (const Subgraph& subgraph : model->subgraphs) UseMap uses(subgraph);
  // Digests of all weights are slow, and the same code for every file.
  uint64_t size_bytes = 0;
  const absl::Status written = WriteModel(*model, [&](absl::Span<const uint8_t> piece) {
    size_bytes += piece.size();
    return absl::OkStatus();
  });
  if (!written.ok()) return absl::InternalError(written.ToString());
  if (size_bytes < 65536) DumpModel(*model);
  return absl::OkStatus();
}

}  // namespace lathe
