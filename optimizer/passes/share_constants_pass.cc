#include "optimizer/passes/share_constants_pass.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "optimizer/model/graph_editor.h"

namespace lathe {
namespace {

// Buffers are told apart by size and by this many bytes from their middle before whole contents are compared: weights
// of one shape differ there, so a model without duplicates is hardly read.
constexpr size_t kProbeBytes = 64;

std::string_view Probe(absl::Span<const uint8_t> bytes) {
  const size_t length = std::min(bytes.size(), kProbeBytes);
  return {reinterpret_cast<const char*>(bytes.data()) + (bytes.size() - length) / 2, length};
}

bool SameBytes(absl::Span<const uint8_t> a, absl::Span<const uint8_t> b) {
  return a.size() == b.size() && (a.data() == b.data() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

// A tensor of some subgraph; stays valid while tensors move to other buffers.
struct Holder {
  SubgraphId subgraph;
  TensorId tensor;
};

// Finds for each constant the first one of the same type and content.
class Firsts {
 public:
  explicit Firsts(const Model& model) : model_(model) {}

  // The first holder of the content, which is `holder` itself when it is the first.
  Holder Find(const Holder& holder) {
    const Tensor& tensor = TensorOf(holder);
    const absl::Span<const uint8_t> bytes = model_.buffer(tensor.buffer).bytes();
    std::vector<Holder>& candidates = by_probe_[{tensor.type, bytes.size(), Probe(bytes)}];
    for (const Holder& candidate : candidates) {
      if (SameBytes(model_.buffer(TensorOf(candidate).buffer).bytes(), bytes)) return candidate;
    }
    candidates.push_back(holder);
    return holder;
  }

  const Tensor& TensorOf(const Holder& holder) const { return model_.subgraph(holder.subgraph).tensor(holder.tensor); }

 private:
  const Model& model_;
  std::map<std::tuple<TensorType, size_t, std::string_view>, std::vector<Holder>> by_probe_;
};

}  // namespace

absl::StatusOr<Change> ShareConstantsPass::Edit(Model& model, PassContext& context) const {
  Firsts firsts(model);
  std::vector<std::vector<std::pair<TensorId, Holder>>> moves(model.subgraphs.size());
  for (size_t s = 0; s < model.subgraphs.size(); ++s) {
    LATHE_RETURN_IF_ERROR(context.cancel.Check());
    const Subgraph& graph = model.subgraphs[s];
    for (size_t t = 0; t < graph.tensors.size(); ++t) {
      if (!model.IsConstant(graph.tensors[t]) || graph.tensors[t].is_variable) continue;
      const Holder first = firsts.Find({SubgraphId(s), TensorId(t)});
      if (firsts.TensorOf(first).buffer != graph.tensors[t].buffer) moves[s].emplace_back(TensorId(t), first);
    }
  }
  Change change;
  for (size_t s = 0; s < model.subgraphs.size(); ++s) {
    GraphEditor editor(model, SubgraphId(s));
    for (const auto& [id, first] : moves[s]) {
      Tensor tensor = model.subgraphs[s].tensor(id);
      tensor.buffer = firsts.TensorOf(first).buffer;
      editor.SetTensor(id, std::move(tensor));
      ++change.count;
    }
    editor.Finish();
  }
  return change;
}

}  // namespace lathe
