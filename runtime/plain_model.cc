#include "runtime/plain_model.h"

#include <algorithm>
#include <set>
#include <string>

#include "absl/strings/str_format.h"

namespace lathe {

namespace {

size_t Find(const std::vector<TensorId>& ids, TensorId id) {
  return static_cast<size_t>(std::find(ids.begin(), ids.end(), id) - ids.begin());
}

bool Lists(const std::vector<SignatureEntry>& entries, const std::vector<TensorId>& ids) {
  return entries.size() == ids.size() && std::all_of(ids.begin(), ids.end(), [&](TensorId id) {
           return std::any_of(entries.begin(), entries.end(), [&](const auto& entry) { return entry.tensor == id; });
         });
}

bool HaveUniqueNames(const Subgraph& subgraph, const std::vector<TensorId>& ids) {
  std::set<std::string> names;
  return std::all_of(ids.begin(), ids.end(),
                     [&](TensorId id) { return names.insert(subgraph.tensor(id).name).second; });
}

}  // namespace

bool IsPlain(const Model& model) {
  const Subgraph& subgraph = model.subgraphs[0];
  std::set<TensorId> distinct;
  for (TensorId id : subgraph.outputs) {
    if (!distinct.insert(id).second || model.IsConstant(subgraph.tensor(id))) return false;
    if (Find(subgraph.inputs, id) < subgraph.inputs.size()) return false;
  }
  if (model.signatures.empty()) {
    return HaveUniqueNames(subgraph, subgraph.inputs) && HaveUniqueNames(subgraph, subgraph.outputs);
  }
  const Signature& first = model.signatures[0];
  return first.subgraph.value == 0 && Lists(first.inputs, subgraph.inputs) && Lists(first.outputs, subgraph.outputs);
}

Model MakePlain(const Model& model, std::vector<OutputSource>* sources) {
  Model plain = model;
  DropNames(plain);
  Subgraph& subgraph = plain.subgraphs[0];
  std::vector<TensorId> outputs;
  for (TensorId id : model.subgraphs[0].outputs) {
    if (const size_t input = Find(subgraph.inputs, id); input < subgraph.inputs.size()) {
      sources->push_back({OutputSource::Kind::kModelInput, input});
    } else if (plain.IsConstant(subgraph.tensor(id))) {
      sources->push_back({OutputSource::Kind::kConstant, 0});
    } else {
      const size_t output = Find(outputs, id);
      if (output == outputs.size()) outputs.push_back(id);
      sources->push_back({OutputSource::Kind::kRuntimeOutput, output});
    }
  }
  subgraph.outputs = outputs;
  return plain;
}

void DropNames(Model& model) {
  model.signatures.clear();
  Subgraph& subgraph = model.subgraphs[0];
  for (size_t i = 0; i < subgraph.tensors.size(); ++i) subgraph.tensors[i].name = absl::StrFormat("t%d", i);
}

}  // namespace lathe
