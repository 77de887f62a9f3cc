#include "optimizer/passes/channel_balance.h"

#include <algorithm>
#include <cmath>

#include "common/parallel.h"

namespace lathe {
namespace {

// Factors beyond this are the sign of a dead channel; a chain of such weights stays far from float32's limits.
constexpr float kExponentMax = 13;
constexpr int kSweepsMax = 100;
constexpr float kMovedMin = 1e-3f;
// Below 2^(1/4) for every channel, balancing gains nothing that can be measured.
constexpr float kWorthItMin = 0.25f;

int32_t ComponentOf(const ScaleChains& chains, const std::vector<int32_t>& groups) {
  for (int32_t group : groups) {
    if (group != kNoGroup) return chains.component[static_cast<size_t>(group)];
  }
  return -1;
}

}  // namespace

ChannelBalance::ChannelBalance(const Model& model, const ScaleChains& chains)
    : model_(model),
      chains_(chains),
      owned_(chains.weights.size()),
      largest_(chains.weights.size()),
      factors_(chains.group_count, 1.0f),
      written_(chains.group_count, 0.0f),
      read_(chains.group_count, 0.0f) {
  const Subgraph& graph = model.subgraphs[0];
  ParallelFor(chains.weights.size(), [&](size_t i) {
    const ScaledWeights& weights = chains.weights[i];
    largest_[i] = model.FloatData(graph.tensor(graph.ops[weights.op.index()].inputs[weights.weights]));
    if (weights.grid.taps == 1) return;
    owned_[i] = math::LargestOverTaps(largest_[i], weights.grid);
    largest_[i] = owned_[i];
  });
  BuildComponents();
}

void ChannelBalance::BuildComponents() {
  components_.resize(chains_.component_count);
  for (size_t g = 0; g < chains_.group_count; ++g) {
    components_[static_cast<size_t>(chains_.component[g])].groups.push_back(g);
  }
  for (size_t i = 0; i < chains_.weights.size(); ++i) {
    const int32_t out = ComponentOf(chains_, chains_.weights[i].rows),
                  in = ComponentOf(chains_, chains_.weights[i].columns);
    if (out >= 0) components_[static_cast<size_t>(out)].writers.push_back(i);
    if (in >= 0) components_[static_cast<size_t>(in)].readers.push_back(i);
  }
  for (const auto& [tensor, groups] : chains_.activations) {
    if (std::find(groups.begin(), groups.end(), kNoGroup) != groups.end()) {
      components_[static_cast<size_t>(ComponentOf(chains_, groups))].anchored = true;
    }
  }
}

std::vector<float> ChannelBalance::FactorsOf(const std::vector<int32_t>& groups, bool inverse) const {
  std::vector<float> factors(groups.size(), 1.0f);
  for (size_t i = 0; i < groups.size(); ++i) {
    if (groups[i] == kNoGroup) continue;
    const float factor = factors_[static_cast<size_t>(groups[i])];
    factors[i] = inverse ? 1 / factor : factor;
  }
  return factors;
}

void ChannelBalance::MeasureWriters(const Component& component) {
  for (size_t g : component.groups) written_[g] = 0;
  const Subgraph& graph = model_.subgraphs[0];
  for (size_t i : component.writers) {
    const ScaledWeights& weights = chains_.weights[i];
    std::vector<float> rows(weights.rows.size());
    math::LargestOfRows(largest_[i], weights.grid, FactorsOf(weights.columns, false), absl::MakeSpan(rows));
    absl::Span<const float> bias;
    if (weights.bias.valid()) bias = model_.FloatData(graph.tensor(weights.bias));
    for (size_t r = 0; r < rows.size(); ++r) {
      if (weights.rows[r] == kNoGroup) continue;
      const auto g = static_cast<size_t>(weights.rows[r]);
      // A channel of zero weights is a constant, as wide as its bias.
      const float width = rows[r] > 0 || bias.empty() ? rows[r] : std::fabs(bias[r]);
      written_[g] = std::max(written_[g], width / factors_[g]);
    }
  }
}

void ChannelBalance::MeasureReaders(const Component& component, bool depthwise_too) {
  for (size_t g : component.groups) read_[g] = 0;
  for (size_t i : component.readers) {
    const ScaledWeights& weights = chains_.weights[i];
    if (weights.grid.depthwise && !depthwise_too) continue;
    std::vector<float> columns(weights.columns.size());
    math::LargestOfColumns(largest_[i], weights.grid, FactorsOf(weights.rows, true), absl::MakeSpan(columns));
    for (size_t k = 0; k < columns.size(); ++k) {
      if (weights.columns[k] == kNoGroup) continue;
      const auto g = static_cast<size_t>(weights.columns[k]);
      read_[g] = std::max(read_[g], columns[k] * factors_[g]);
    }
  }
}

// Multiplies factors by 2^logs; a NaN stands for a group that the rule says nothing about: it gets the mean.
void ChannelBalance::Multiply(const Component& component, std::vector<float> logs, bool center, float* moved) {
  double sum = 0;
  size_t count = 0;
  for (float log : logs) {
    if (std::isnan(log)) continue;
    sum += log;
    ++count;
  }
  if (count == 0) return;
  const auto mean = static_cast<float>(sum / static_cast<double>(count));
  for (size_t i = 0; i < component.groups.size(); ++i) {
    float& factor = factors_[component.groups[i]];
    const float log = std::isnan(logs[i]) ? mean : logs[i];
    const float before = std::log2(factor);
    const float after = std::clamp(before + log - (center ? mean : 0), -kExponentMax, kExponentMax);
    factor = std::exp2(after);
    *moved = std::max(*moved, std::fabs(after - before));
  }
}

float ChannelBalance::Sweep(const Component& component) {
  MeasureWriters(component);
  MeasureReaders(component, true);
  float strongest = 0;
  for (size_t g : component.groups) strongest = std::max(strongest, read_[g]);
  std::vector<float> logs;
  for (size_t g : component.groups) {
    // What nobody reads widens the tensor all the same: treated as read by the strongest weight.
    const float read = read_[g] > 0 ? read_[g] : strongest;
    const bool known = written_[g] > 0 && read > 0;
    logs.push_back(known ? 0.5f * std::log2(written_[g] / read) : NAN);
  }
  float moved = 0;
  Multiply(component, std::move(logs), !component.anchored, &moved);
  return moved;
}

void ChannelBalance::BalanceWeights() {
  for (int sweep = 0; sweep < kSweepsMax; ++sweep) {
    float moved = 0;
    for (const Component& component : components_) moved = std::max(moved, Sweep(component));
    if (moved < kMovedMin) break;
  }
}

void ChannelBalance::BalanceActivations(const ActivationStats& stats, float alpha) {
  std::vector<float> width(chains_.group_count, 0.0f);
  for (const auto& [tensor, groups] : chains_.activations) {
    const TensorStats* seen = stats.Find(tensor);
    if (seen == nullptr || seen->channels.size() != groups.size()) continue;
    for (size_t c = 0; c < groups.size(); ++c) {
      if (groups[c] == kNoGroup) continue;
      const auto g = static_cast<size_t>(groups[c]);
      const TensorRange& range = seen->channels[c];
      width[g] = std::max({width[g], std::fabs(range.min) / factors_[g], std::fabs(range.max) / factors_[g]});
    }
  }
  // All readers are measured before any factor changes: the rule is one step, not a sweep.
  for (const Component& component : components_) MeasureReaders(component, false);
  for (const Component& component : components_) {
    std::vector<float> logs;
    const bool free =
        std::all_of(component.groups.begin(), component.groups.end(), [&](size_t g) { return read_[g] == 0; });
    for (size_t g : component.groups) {
      const bool known = width[g] > 0 && (free || read_[g] > 0);
      const float wide = std::log2(width[g]);
      logs.push_back(!known ? NAN : free ? wide : alpha * wide - (1 - alpha) * std::log2(read_[g]));
    }
    float moved = 0;
    Multiply(component, std::move(logs), true, &moved);
  }
}

std::vector<float> ChannelBalance::Divisors() const {
  const bool worth_it = std::any_of(factors_.begin(), factors_.end(),
                                    [](float factor) { return std::fabs(std::log2(factor)) > kWorthItMin; });
  return worth_it ? factors_ : std::vector<float>(factors_.size(), 1.0f);
}

}  // namespace lathe
