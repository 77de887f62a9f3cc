#include "optimizer/passes/settings_table.h"

#include <re2/re2.h>

#include <algorithm>
#include <memory>
#include <utility>

namespace lathe {
namespace {

uint64_t ConstantBytes(const Model& model, const Subgraph& subgraph, const Op& op) {
  uint64_t bytes = 0;
  for (TensorId id : op.inputs) {
    if (id.valid() && model.IsConstant(subgraph.tensor(id)))
      bytes += model.buffer(subgraph.tensor(id).buffer).bytes().size();
  }
  return bytes;
}

bool Takes(const Selector& selector, const RE2* name, const Model& model, size_t subgraph, size_t index) {
  const Subgraph& graph = model.subgraphs[subgraph];
  const Op& op = graph.ops[index];
  if (selector.subgraph && static_cast<size_t>(*selector.subgraph) != subgraph) return false;
  if (selector.index && static_cast<size_t>(*selector.index) != index) return false;
  const auto& kinds = selector.kinds;
  if (!kinds.empty() && std::find(kinds.begin(), kinds.end(), OpKindName(op.kind)) == kinds.end()) return false;
  if (name != nullptr) {
    if (op.outputs.empty() || !op.outputs[0].valid()) return false;
    if (!RE2::PartialMatch(graph.tensor(op.outputs[0]).name, *name)) return false;
  }
  return selector.bytes_min == 0 || ConstantBytes(model, graph, op) >= selector.bytes_min;
}

}  // namespace

absl::StatusOr<SettingsTable> SettingsTable::Resolve(const Model& input, const Recipe& recipe) {
  SettingsTable table;
  table.recipe_ = recipe.quantize;
  for (const Subgraph& graph : input.subgraphs) table.choice_.emplace_back(graph.ops.size(), -1);
  for (size_t r = 0; r < recipe.rules.size(); ++r) {
    const Rule& rule = recipe.rules[r];
    std::unique_ptr<RE2> name;
    if (!rule.selector.name_regex.empty()) {
      name = std::make_unique<RE2>(rule.selector.name_regex, RE2::Quiet);
      if (!name->ok()) {
        return MakeError(absl::StatusCode::kInvalidArgument, "RECIPE_INVALID",
                         absl::StrFormat("rules[%d].selector.name_regex: %s", r, name->error()));
      }
    }
    QuantizeSettings settings = rule.quantize;
    if (rule.skip) settings.scheme = Scheme::kNone;
    table.settings_.push_back(std::move(settings));
    const size_t before = table.matches_.size();
    for (size_t s = 0; s < input.subgraphs.size(); ++s) {
      for (size_t i = 0; i < input.subgraphs[s].ops.size(); ++i) {
        if (!Takes(rule.selector, name.get(), input, s, i)) continue;
        table.choice_[s][i] = static_cast<int>(r);
        table.matches_.push_back({r, static_cast<int>(s), static_cast<int32_t>(i)});
      }
    }
    if (table.matches_.size() == before) {
      return MakeError(absl::StatusCode::kInvalidArgument, "RULE_TAKES_NOTHING",
                       absl::StrFormat("rules[%d] takes no operator of the model; `lathe inspect` lists them", r));
    }
  }
  return table;
}

const QuantizeSettings& SettingsTable::For(SubgraphId subgraph, const Op& op) const {
  if (op.origin < 0 || subgraph.index() >= choice_.size()) return recipe_;
  const std::vector<int>& choice = choice_[subgraph.index()];
  const auto origin = static_cast<size_t>(op.origin);
  if (origin >= choice.size() || choice[origin] < 0) return recipe_;
  return settings_[static_cast<size_t>(choice[origin])];
}

void SettingsTable::Override(absl::Span<const int32_t> origins, QuantizeSettings settings) {
  settings_.push_back(std::move(settings));
  for (int32_t origin : origins) choice_[0][static_cast<size_t>(origin)] = static_cast<int>(settings_.size()) - 1;
}

}  // namespace lathe
