#include "executor/operator_causes.h"

#include <algorithm>
#include <cmath>

#include "executor/cause_advice.h"
#include "optimizer/passes/operator_precision.h"
#include "runtime/output_error.h"

namespace lathe {
namespace {

// Of the signal's power: what float kernels that add up in another order differ by.
constexpr double kFloatNoise = 1e-11;

struct Noise {
  ErrorCause cause;
  double power;
};

double Sum(const std::vector<double>& parts) {
  double sum = 0;
  for (double part : parts) sum += part;
  return sum;
}

// Sums `parts` by channel, each times what `share` says of the channel's weights; 0 when nothing is known of them.
template <typename Share>
double SumShares(const std::vector<double>& parts, const std::vector<WeightDeviation>& deviations, Share share) {
  double sum = 0;
  for (size_t i = 0; i < parts.size() && !deviations.empty(); ++i) {
    sum += parts[i] * share(deviations.size() == parts.size() ? deviations[i] : deviations[0]);
  }
  return sum;
}

std::vector<Noise> SplitNoise(const ProbedPlace& probed, const OperatorErrors& errors) {
  double weights = Sum(errors.weights), bias = errors.bias;
  const double range = SumShares(errors.weights, probed.deviations, [](const auto& w) { return w.range_share; });
  const double range_share = weights > 0 ? range / weights : 0;
  if (errors.with_bias <= errors.without_bias) {
    weights = std::min(weights, errors.weights_and_bias);
    bias = 0;
  }
  std::vector<Noise> split = {{ErrorCause::kWeightRounding, weights * (1 - range_share)},
                              {ErrorCause::kWeightRange, weights * range_share},
                              {ErrorCause::kActivationClipping, errors.clipping},
                              {ErrorCause::kActivationRounding, errors.rounding},
                              {ErrorCause::kBias, bias},
                              {ErrorCause::kAccumulated, errors.accumulated}};
  std::erase_if(split, [&](const Noise& noise) { return !(noise.power > kFloatNoise * errors.signal); });
  std::stable_sort(split.begin(), split.end(), [](const Noise& x, const Noise& y) { return x.power > y.power; });
  return split;
}

// What a cause's noise is held against. An outlier among weights makes signal where it makes noise, so the range of
// weights is held against what ordinary weights give.
double SignalFor(ErrorCause cause, const ProbedPlace& probed, const OperatorErrors& errors) {
  if (cause != ErrorCause::kWeightRange) return errors.signal;
  const double ordinary =
      SumShares(errors.channel_signal, probed.deviations, [](const auto& w) { return w.ordinary_power; });
  return ordinary > 0 ? ordinary : errors.signal;
}

double Decibels(double signal, double noise) { return SqnrDb(signal, noise).value_or(0); }

// How much of the output's range its values were seen in.
double UsedShare(const OperatorErrors& errors) {
  const double range = errors.grid_high - errors.grid_low;
  if (!std::isfinite(range) || range <= 0 || errors.high < errors.low) return 1;
  const double low = std::max(std::min(errors.low, 0.0), errors.grid_low);
  const double high = std::min(std::max(errors.high, 0.0), errors.grid_high);
  return std::clamp((high - low) / range, 0.0, 1.0);
}

AdviceFacts FactsFor(const OperatorComparison& row, const ProbedPlace& probed, const OperatorErrors& errors) {
  AdviceFacts facts;
  facts.op = row.a.value_or(row.b);
  facts.precision = row.precision;
  facts.has_scales = std::isfinite(errors.grid_high);
  facts.weight_type = probed.weight_type;
  facts.weight_scale_shared = probed.weight_scale_shared;
  facts.used_share = UsedShare(errors);
  if (facts.has_scales) {
    facts.range_low = errors.grid_low;
    facts.range_high = errors.grid_high;
  }
  return facts;
}

// The advice for the largest cause of the operator's own, or for what accumulated when that is all.
std::string MainAdvice(const OperatorComparison& row) {
  for (const CauseReport& cause : row.causes) {
    if (cause.cause != ErrorCause::kAccumulated) return cause.advice;
  }
  return row.causes.empty() ? "" : row.causes[0].advice;
}

}  // namespace

OperatorPrecisions::OperatorPrecisions(const Model& model) {
  for (const OperatorReport& row : DescribeOperators(model, Recipe())) {
    if (row.subgraph == 0) by_index_.push_back(row.precision);
  }
}

std::string OperatorPrecisions::Of(OpId op) const {
  return op.valid() && op.index() < by_index_.size() ? by_index_[op.index()] : "";
}

OperatorRef MakeOperatorRef(const Model& model, OpId op) {
  const Op& operation = model.subgraphs[0].ops[op.index()];
  OperatorRef ref;
  ref.index = operation.origin >= 0 ? operation.origin : op.value;
  ref.kind = KindLabel(operation);
  if (!operation.outputs.empty() && operation.outputs[0].valid()) {
    ref.name = model.subgraphs[0].tensor(operation.outputs[0]).name;
  }
  return ref;
}

OperatorComparison MakeOperatorComparison(const Model& a, const Model& b, const ComparedOperator& place,
                                          const ProbedPlace& probed, const OperatorErrors& errors,
                                          const OperatorPrecisions& precisions) {
  OperatorComparison row;
  if (place.a.valid()) row.a = MakeOperatorRef(a, place.a);
  if (place.b.valid()) {
    row.b = MakeOperatorRef(b, place.b);
  } else {
    const std::vector<TensorId>& inputs = b.subgraphs[0].inputs;
    const auto input = std::find(inputs.begin(), inputs.end(), place.b_outputs[0]) - inputs.begin();
    row.b = {
        .index = static_cast<int>(input), .kind = kInputKind, .name = b.subgraphs[0].tensor(place.b_outputs[0]).name};
  }
  row.precision = precisions.Of(place.b);
  row.sqnr_db = SqnrDb(errors.signal, errors.total);
  row.reason = probed.why_not;
  if (!errors.split || errors.signal <= 0) {
    if (row.reason.empty() && errors.signal <= 0) row.reason = "its output is zero, or not finite";
    if (row.reason.empty()) row.reason = "its values have another size than the file says";
    return row;
  }
  const std::vector<Noise> split = SplitNoise(probed, errors);
  double all = 0, own = 0;
  for (const Noise& noise : split) {
    all += noise.power;
    own += noise.cause == ErrorCause::kAccumulated ? 0 : noise.power;
  }
  row.own_sqnr_db = SqnrDb(errors.signal, own);
  const AdviceFacts facts = FactsFor(row, probed, errors);
  for (const Noise& noise : split) {
    const double signal = SignalFor(noise.cause, probed, errors);
    row.causes.push_back(
        {noise.cause, Decibels(signal, noise.power), noise.power / all, AdviceFor(noise.cause, facts)});
  }
  row.advice = MainAdvice(row);
  return row;
}

std::vector<RankedCause> RankCauses(const std::vector<OperatorComparison>& operators) {
  std::vector<RankedCause> ranking;
  double all = 0;
  for (const OperatorComparison& row : operators) {
    for (const CauseReport& cause : row.causes) {
      if (cause.cause == ErrorCause::kAccumulated) continue;
      RankedCause& ranked = ranking.emplace_back();
      ranked.subgraph = row.b.subgraph;
      ranked.index = row.b.index;
      ranked.kind = row.b.kind;
      ranked.name = row.b.name;
      ranked.cause = cause.cause;
      ranked.sqnr_db = cause.sqnr_db;
      ranked.share = std::pow(10.0, -cause.sqnr_db / 10);
      all += ranked.share;
      ranked.advice = cause.advice;
    }
  }
  for (RankedCause& ranked : ranking) ranked.share = all > 0 ? ranked.share / all : 0;
  std::stable_sort(ranking.begin(), ranking.end(),
                   [](const RankedCause& x, const RankedCause& y) { return x.sqnr_db < y.sqnr_db; });
  return ranking;
}

}  // namespace lathe
