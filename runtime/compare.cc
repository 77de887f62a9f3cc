#include "runtime/compare.h"

#include <algorithm>
#include <memory>
#include <mutex>
#include <utility>

#include "runtime/interpreter.h"
#include "runtime/memory_plan.h"
#include "runtime/output_error.h"
#include "runtime/run_sample.h"
#include "runtime/sample_loop.h"

namespace lathe {

namespace {

absl::Status CheckSamples(const SampleSource& samples) {
  if (samples.size() > 0) return absl::OkStatus();
  return MakeError(absl::StatusCode::kInvalidArgument, "NO_SAMPLES", "there are no samples to compare on");
}

SampleLoop MakeLoop(const CompareOptions& options, const Spread& spread, uint64_t total, uint64_t* done) {
  SampleLoop loop;
  loop.workers = spread.interpreters;
  loop.cancel = options.cancel;
  loop.done_one = [&options, total, done] {
    ++*done;
    if (options.progress) options.progress(*done, total);
  };
  return loop;
}

absl::StatusOr<std::unique_ptr<Interpreter>> Load(const LoadableModel& model, int threads) {
  static std::mutex loading;  // not known to be safe from several threads at once
  const std::lock_guard<std::mutex> lock(loading);
  InterpreterOptions options;
  options.threads = threads;
  options.file = model.file;
  return Interpreter::Create(model.model, model.bytes, options);
}

}  // namespace

// What all threads share.
class OutputComparison::State {
 public:
  State(LoadableModel reference, LoadableModel candidate, const CompareOptions& options)
      : reference_(reference), candidate_(candidate), options_(options) {}

  absl::Status Run(SampleSource& samples) {
    LATHE_RETURN_IF_ERROR(CheckSamples(samples));
    if (workers_.empty()) LATHE_RETURN_IF_ERROR(Plan(samples));
    LATHE_RETURN_IF_ERROR(samples.Rewind());
    uint64_t done = 0;
    const SampleLoop loop = MakeLoop(options_, spread_, samples.size(), &done);
    return ForEachSample(samples, loop, [this](int worker) -> absl::StatusOr<SampleWork> {
      SampleWork& work = workers_[static_cast<size_t>(worker)];
      if (!work) {
        LATHE_ASSIGN_OR_RETURN(work, MakeWorker());
      }
      return work;
    });
  }

  std::vector<OutputError> Errors() const {
    std::vector<OutputError> errors;
    for (size_t output = 0; output < outputs_.size(); ++output) {
      std::vector<OutputSums> column;
      for (const std::vector<OutputSums>& row : sums_) {
        if (!row.empty()) column.push_back(row[output]);
      }
      errors.push_back(MakeOutputError(outputs_[output], column));
    }
    return errors;
  }

 private:
  // By the first part: what comes later is spread the same way.
  absl::Status Plan(const SampleSource& samples) {
    LATHE_ASSIGN_OR_RETURN(inputs_, DescribeInputs(reference_.model));
    LATHE_ASSIGN_OR_RETURN(outputs_, DescribeOutputs(reference_.model));
    LATHE_ASSIGN_OR_RETURN(const std::vector<TensorInfo> candidate_inputs, DescribeInputs(candidate_.model));
    LATHE_RETURN_IF_ERROR(CheckPairs(inputs_, candidate_inputs, "input"));
    const bool all_known = options_.known != nullptr && options_.known->size() >= samples.size();
    const uint64_t bytes_each =
        EstimateInterpreterBytes(candidate_.model) + (all_known ? 0 : EstimateInterpreterBytes(reference_.model));
    spread_ =
        PlanSpread(options_.threads, bytes_each, std::min(options_.memory_bytes, kSpreadBytesMax), samples.size());
    workers_.resize(static_cast<size_t>(spread_.interpreters));
    return absl::OkStatus();
  }

  absl::StatusOr<SampleWork> MakeWorker() {
    LATHE_ASSIGN_OR_RETURN(std::shared_ptr<Interpreter> candidate, Load(candidate_, spread_.threads));
    // Loaded when the first sample comes that the reference has not answered yet.
    auto reference = std::make_shared<std::unique_ptr<Interpreter>>();
    return SampleWork([this, candidate, reference](const Sample& sample) -> absl::Status {
      LATHE_RETURN_IF_ERROR(Annotate(RunSample(inputs_, sample, *candidate), "the optimized model"));
      if (options_.known != nullptr) {
        if (const auto* known = options_.known->Find(sample.index); known != nullptr) {
          return Add(sample.index, options_.known->infos(), {known->begin(), known->end()}, *candidate);
        }
      }
      if (*reference == nullptr) {
        LATHE_ASSIGN_OR_RETURN(*reference, Load(reference_, spread_.threads));
      }
      LATHE_RETURN_IF_ERROR(Annotate(RunSample(inputs_, sample, **reference), "the input model"));
      std::vector<absl::Span<const uint8_t>> outputs;
      for (size_t i = 0; i < (*reference)->outputs().size(); ++i) outputs.push_back((*reference)->Output(i));
      return Add(sample.index, (*reference)->outputs(), outputs, *candidate);
    });
  }

  absl::Status Add(size_t sample, const std::vector<TensorInfo>& infos,
                   const std::vector<absl::Span<const uint8_t>>& expected, const Interpreter& candidate) {
    LATHE_RETURN_IF_ERROR(CheckPairs(infos, candidate.outputs(), "output"));
    std::vector<OutputSums> row;
    for (size_t i = 0; i < infos.size(); ++i) {
      const OutputValues found = {candidate.outputs()[i], candidate.Output(i)};
      LATHE_ASSIGN_OR_RETURN(OutputSums sums, SumOutput({infos[i], expected[i]}, found, sample));
      row.push_back(sums);
    }
    const std::lock_guard<std::mutex> lock(summing_);
    if (sums_.size() <= sample) sums_.resize(sample + 1);
    sums_[sample] = std::move(row);
    return absl::OkStatus();
  }

  const LoadableModel reference_, candidate_;
  const CompareOptions& options_;
  std::vector<TensorInfo> inputs_, outputs_;  // of the reference
  Spread spread_;
  std::vector<SampleWork> workers_;  // each touched by its own thread only
  std::mutex summing_;               // guards sums_
  // A row a sample, summed in order at the end: the result does not depend on which thread took which sample.
  std::vector<std::vector<OutputSums>> sums_;
};

OutputComparison::OutputComparison(LoadableModel reference, LoadableModel candidate, const CompareOptions& options)
    : state_(std::make_unique<State>(reference, candidate, options)) {}
OutputComparison::~OutputComparison() = default;
absl::Status OutputComparison::Run(SampleSource& samples) { return state_->Run(samples); }
std::vector<OutputError> OutputComparison::Errors() const { return state_->Errors(); }

absl::StatusOr<std::vector<OutputError>> CompareOutputs(const Model& reference,
                                                        absl::Span<const uint8_t> reference_bytes,
                                                        const Model& candidate,
                                                        absl::Span<const uint8_t> candidate_bytes,
                                                        SampleSource& samples, const CompareOptions& options) {
  OutputComparison comparison({reference, reference_bytes, options.reference_file},
                              {candidate, candidate_bytes, options.candidate_file}, options);
  LATHE_RETURN_IF_ERROR(comparison.Run(samples));
  return comparison.Errors();
}

absl::Status RunReference(const Model& model, absl::Span<const uint8_t> bytes, SampleSource& samples,
                          const CompareOptions& options, ReferenceOutputs& outputs) {
  LATHE_RETURN_IF_ERROR(CheckSamples(samples));
  LATHE_ASSIGN_OR_RETURN(const std::vector<TensorInfo> inputs, DescribeInputs(model));
  LATHE_RETURN_IF_ERROR(samples.Rewind());
  const Spread spread = PlanSpread(options.threads, EstimateInterpreterBytes(model),
                                   std::min(options.memory_bytes, kSpreadBytesMax), samples.size());
  uint64_t done = 0;
  const SampleLoop loop = MakeLoop(options, spread, samples.size(), &done);
  return ForEachSample(samples, loop, [&](int) -> absl::StatusOr<SampleWork> {
    LATHE_ASSIGN_OR_RETURN(std::shared_ptr<Interpreter> interpreter,
                           Load({model, bytes, options.reference_file}, spread.threads));
    return SampleWork([&inputs, &outputs, interpreter](const Sample& sample) -> absl::Status {
      LATHE_RETURN_IF_ERROR(Annotate(RunSample(inputs, sample, *interpreter), "the input model"));
      outputs.Keep(sample.index, *interpreter, interpreter->outputs().size());
      return absl::OkStatus();
    });
  });
}

}  // namespace lathe
