#include "executor/compare_models.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "executor/operator_causes.h"
#include "optimizer/passes/compared_operators.h"
#include "optimizer/passes/float_probe.h"
#include "optimizer/passes/fold_constants_pass.h"
#include "optimizer/passes/fold_scales_pass.h"
#include "runtime/compare.h"
#include "runtime/memory_plan.h"
#include "runtime/operator_errors.h"

namespace lathe {
namespace {

bool BytesEqual(const ComparedFile& a, const ComparedFile& b) {
  const auto x = a.file.bytes(), y = b.file.bytes();
  return x.size() == y.size() && std::equal(x.begin(), x.end(), y.begin());
}

// The model with what is left of batch normalisation folded in, as converters leave it.
absl::StatusOr<Model> Fold(const Model& model, const CancelToken& cancel) {
  Model folded = model;
  QuantizeSettings settings;
  settings.scheme = Scheme::kDynamicRange;
  PassContext context;
  context.cancel = cancel;
  LATHE_RETURN_IF_ERROR(RunPass(FoldConstantsPass(settings), folded, context).status());
  LATHE_RETURN_IF_ERROR(RunPass(FoldScalesPass(), folded, context).status());
  return folded;
}

size_t CountUnmatched(const ComparedModels& compared) { return compared.only_a.size() + compared.only_b.size(); }

bool HasPairs(const ComparedModels& compared) {
  return std::any_of(compared.operators.begin(), compared.operators.end(),
                     [](const ComparedOperator& place) { return place.a.valid(); });
}

bool IsRefusal(const absl::Status& status) { return absl::IsFailedPrecondition(status); }

class Comparison {
 public:
  Comparison(const ComparedFile& a, const ComparedFile& b, SampleSource& samples, const CompareModelsOptions& options)
      : a_(a), b_(b), samples_(samples), options_(options) {}

  absl::StatusOr<ComparisonReport> Run() {
    LATHE_RETURN_IF_ERROR(CompareWhole());
    report_.identical = BytesEqual(a_, b_);
    if (report_.identical) return std::move(report_);
    LATHE_RETURN_IF_ERROR(Match());
    LATHE_RETURN_IF_ERROR(MeasureAll());
    report_.ranking = RankCauses(report_.operators);
    return std::move(report_);
  }

  absl::StatusOr<ComparisonReport> RunQuickly(size_t split_max) {
    LATHE_RETURN_IF_ERROR(Match());
    LATHE_RETURN_IF_ERROR(MeasureTotals());
    std::vector<OperatorComparison> totals = std::exchange(report_.operators, {});
    const std::vector<size_t> worst = AddMost(totals, split_max);
    std::vector<const ComparedOperator*> batch;
    std::vector<ProbedPlace> probed;
    for (size_t i : worst) {
      batch.push_back(&compared_.operators[i]);
      probed.push_back(probe_->Add(*batch.back()));
    }
    if (!batch.empty()) {
      LATHE_RETURN_IF_ERROR(Measure(batch, probed, probe_->Take()));
    }
    report_.ranking = RankCauses(report_.operators);
    for (size_t i = 0; i < worst.size(); ++i) totals[worst[i]] = report_.operators[i];
    report_.operators = std::move(totals);
    report_.samples = samples_.size();
    report_.synthetic = samples_.synthetic();
    return std::move(report_);
  }

 private:
  absl::Status CompareWhole() {
    CompareOptions options;
    options.threads = options_.threads;
    options.memory_bytes = options_.probe_bytes_max;
    options.cancel = options_.cancel;
    options.reference_file = &a_.file;
    options.candidate_file = &b_.file;
    LATHE_ASSIGN_OR_RETURN(report_.outputs,
                           CompareOutputs(a_.model, a_.file.bytes(), b_.model, b_.file.bytes(), samples_, options));
    report_.samples = samples_.size();
    report_.synthetic = samples_.synthetic();
    report_.warnings = samples_.warnings();
    return absl::OkStatus();
  }

  absl::Status Match() {
    reference_ = a_.model;
    compared_ = FindComparedOperators(reference_, b_.model);
    if (CountUnmatched(compared_) > 0) {
      LATHE_ASSIGN_OR_RETURN(Model folded, Fold(a_.model, options_.cancel));
      ComparedModels other = FindComparedOperators(folded, b_.model);
      if (CountUnmatched(other) < CountUnmatched(compared_)) {
        compared_ = std::move(other);
        reference_ = std::move(folded);
      }
    }
    for (OpId id : compared_.only_a) report_.unmatched.push_back({true, MakeOperatorRef(reference_, id)});
    for (OpId id : compared_.only_b) report_.unmatched.push_back({false, MakeOperatorRef(b_.model, id)});
    if (HasPairs(compared_)) return absl::OkStatus();
    return MakeError(absl::StatusCode::kInvalidArgument, "MODELS_DIFFER",
                     absl::StrFormat("no operator of the first model (%d) is one of the second (%d): give two files of "
                                     "one network, the float one first",
                                     reference_.subgraphs[0].ops.size(), b_.model.subgraphs[0].ops.size()));
  }

  absl::Status MeasureAll() {
    probe_.emplace(reference_, b_.model);
    precisions_.emplace(b_.model);
    std::vector<const ComparedOperator*> batch;
    uint64_t read = 0;
    std::vector<ProbedPlace> probed;
    for (const ComparedOperator& place : compared_.operators) {
      probed.push_back(probe_->Add(place));
      batch.push_back(&place);
      read += BytesRead(place);
      if (probe_->bytes() + read < options_.probe_bytes_max) continue;
      LATHE_RETURN_IF_ERROR(Measure(batch, probed, probe_->Take()));
      batch.clear();
      probed.clear();
      read = 0;
    }
    return batch.empty() ? absl::OkStatus() : Measure(batch, probed, probe_->Take());
  }

  // One row for each place, not split.
  absl::Status MeasureTotals() {
    probe_.emplace(reference_, b_.model);
    precisions_.emplace(b_.model);
    std::vector<const ComparedOperator*> batch;
    std::vector<ProbedPlace> probed;
    uint64_t read = 0;
    for (const ComparedOperator& place : compared_.operators) {
      batch.push_back(&place);
      probed.push_back(probe_->Follow(place));
      read += BytesRead(place);
      if (read < options_.probe_bytes_max) continue;
      LATHE_RETURN_IF_ERROR(Measure(batch, probed, EmptyProbe()));
      batch.clear();
      probed.clear();
      read = 0;
    }
    return batch.empty() ? absl::OkStatus() : Measure(batch, probed, EmptyProbe());
  }

  // Indices of the places whose noise relative to their signal is most above that of the places that they read from.
  std::vector<size_t> AddMost(const std::vector<OperatorComparison>& totals, size_t count) const {
    std::map<TensorId, double> noises;  // of b's tensors
    std::vector<std::pair<double, size_t>> added;
    for (size_t i = 0; i < totals.size(); ++i) {
      const ComparedOperator& place = compared_.operators[i];
      const double noise = std::pow(10.0, -totals[i].sqnr_db.value_or(200) / 10);
      double before = 0;
      for (const auto& operand : place.data) before = std::max(before, noises[operand.b]);
      for (TensorId id : place.b_outputs) noises[id] = noise;
      if (place.why_not.empty() && noise > before) added.emplace_back(before - noise, i);
    }
    std::sort(added.begin(), added.end());
    std::vector<size_t> indices;
    for (size_t i = 0; i < std::min(count, added.size()); ++i) indices.push_back(added[i].second);
    std::sort(indices.begin(), indices.end());
    return indices;
  }

  uint64_t BytesRead(const ComparedOperator& place) const {
    uint64_t bytes = 0;
    for (TensorId id : place.a_outputs) bytes += Bytes(reference_, id);
    for (TensorId id : place.b_outputs) bytes += Bytes(b_.model, id);
    for (const auto& operand : place.data) bytes += Bytes(b_.model, operand.b);
    return bytes;
  }
  static uint64_t Bytes(const Model& model, TensorId id) {
    return 2 * ActivationBytes(model.subgraphs[0].tensor(id));  // the runtime's and the buffer's
  }

  // Operators that the runtime refuses in float are found by halving and stay whole.
  absl::Status Measure(const std::vector<const ComparedOperator*>& places, std::vector<ProbedPlace>& probed,
                       const Model& probe) {
    const absl::Status status = Try(places, probed, probe);
    if (!IsRefusal(status)) return status;
    if (places.size() == 1) return MeasureWhole(*places[0], probed[0], status);
    const size_t half = places.size() / 2;
    const bool splits = std::any_of(probed.begin(), probed.end(), [](const auto& place) { return !place.own.empty(); });
    for (const auto& [begin, end] : {std::pair(size_t{0}, half), std::pair(half, places.size())}) {
      const std::vector<const ComparedOperator*> part(places.begin() + static_cast<std::ptrdiff_t>(begin),
                                                      places.begin() + static_cast<std::ptrdiff_t>(end));
      std::vector<ProbedPlace> part_probed;
      for (const ComparedOperator* place : part) {
        part_probed.push_back(splits ? probe_->Add(*place) : probe_->Follow(*place));
      }
      LATHE_RETURN_IF_ERROR(Measure(part, part_probed, probe_->Take()));
    }
    return absl::OkStatus();
  }

  absl::Status MeasureWhole(const ComparedOperator& place, ProbedPlace& probed, const absl::Status& refusal) {
    if (!probed.own.empty()) {
      ProbedPlace whole;
      whole.factors = probed.factors;
      whole.why_not = absl::StrFormat("the runtime refuses it alone in float: %s", refusal.message());
      std::vector<ProbedPlace> one = {std::move(whole)};
      const absl::Status status = Try({&place}, one, EmptyProbe());
      if (!IsRefusal(status)) return status;
    }
    OperatorErrors nothing;
    probed.why_not = absl::StrFormat("its values cannot be read: %s", refusal.message());
    report_.operators.push_back(MakeOperatorComparison(reference_, b_.model, place, probed, nothing, *precisions_));
    return absl::OkStatus();
  }

  static Model EmptyProbe() {
    Model model;
    model.buffers.emplace_back();
    model.subgraphs.emplace_back();
    return model;
  }

  absl::Status Try(const std::vector<const ComparedOperator*>& places, const std::vector<ProbedPlace>& probed,
                   const Model& probe) {
    std::vector<MeasuredOperator> operators;
    for (size_t i = 0; i < places.size(); ++i) operators.push_back(MakeMeasured(*places[i], probed[i]));
    OperatorErrorOptions options;
    options.threads = options_.threads;
    options.cancel = options_.cancel;
    const uint64_t before = measured_, here = places.size(), all = compared_.operators.size();
    if (options_.progress) {
      options.progress = [&](uint64_t done, uint64_t total) {
        options_.progress(before * total + here * done, all * total);
      };
    }
    options.scratch_dir = options_.scratch_dir;
    LATHE_ASSIGN_OR_RETURN(const std::vector<OperatorErrors> errors,
                           MeasureOperatorErrors(reference_, b_.model, probe, operators, samples_, options));
    measured_ += here;
    for (size_t i = 0; i < places.size(); ++i) {
      report_.operators.push_back(
          MakeOperatorComparison(reference_, b_.model, *places[i], probed[i], errors[i], *precisions_));
    }
    return absl::OkStatus();
  }

  static MeasuredOperator MakeMeasured(const ComparedOperator& place, const ProbedPlace& probed) {
    MeasuredOperator measured;
    measured.reference_outputs = place.a_outputs;
    measured.candidate_outputs = place.b_outputs;
    measured.conversion = place.chain.empty();
    measured.factors = probed.factors;
    if (!probed.own.empty() || measured.conversion) {
      for (const auto& operand : place.data) measured.candidate_inputs.push_back(operand.b);
    }
    measured.probe_inputs = probed.inputs;
    measured.own = probed.own;
    measured.weights = probed.weights;
    measured.all = probed.all;
    measured.weight_channels = std::max<size_t>(probed.deviations.size(), 1);
    return measured;
  }

  const ComparedFile a_, b_;
  SampleSource& samples_;
  const CompareModelsOptions& options_;
  Model reference_;  // a, perhaps folded
  ComparedModels compared_;
  std::optional<FloatProbe> probe_;
  std::optional<OperatorPrecisions> precisions_;
  uint64_t measured_ = 0;  // operators, in the order of compared_
  ComparisonReport report_;
};

}  // namespace

absl::StatusOr<ComparisonReport> CompareModels(const ComparedFile& a, const ComparedFile& b, SampleSource& samples,
                                               const CompareModelsOptions& options) {
  return Comparison(a, b, samples, options).Run();
}

absl::StatusOr<ComparisonReport> FindMainCauses(const ComparedFile& a, const ComparedFile& b, SampleSource& samples,
                                                size_t split_max, const CompareModelsOptions& options) {
  return Comparison(a, b, samples, options).RunQuickly(split_max);
}

}  // namespace lathe
