#include "runtime/compare.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "runtime/interpreter.h"
#include "runtime/memory_plan.h"
#include "runtime/sample_loop.h"
#include "runtime/value_conversion.h"

namespace lathe {

namespace {

constexpr double kSqnrOfEqualDb = 200;

absl::Status NotFinite(const char* model, const TensorInfo& output, size_t sample) {
  return MakeError(absl::StatusCode::kFailedPrecondition, "OUTPUT_NOT_FINITE",
                   absl::StrFormat("output '%s' of the %s model is NaN or infinite on sample %d", DisplayName(output),
                                   model, sample));
}

// Runs a sample of `from`'s inputs.
absl::Status RunSample(const std::vector<TensorInfo>& from, const Sample& sample, Interpreter& interpreter) {
  LATHE_RETURN_IF_ERROR(interpreter.ResetState());
  std::vector<uint8_t> converted;
  for (size_t i = 0; i < from.size(); ++i) {
    LATHE_RETURN_IF_ERROR(ConvertInput(from[i], sample.inputs[i], interpreter.inputs()[i], &converted));
    LATHE_RETURN_IF_ERROR(interpreter.SetInput(i, converted));
  }
  return interpreter.Run();
}

struct Sums {
  double signal = 0, noise = 0;
};

absl::StatusOr<Sums> SumErrors(const Interpreter& reference, const Interpreter& candidate, size_t output,
                               size_t sample) {
  const TensorInfo& info = reference.outputs()[output];
  const TensorInfo& other = candidate.outputs()[output];
  const absl::Span<const uint8_t> expected = reference.Output(output), found = candidate.Output(output);
  Sums sums;
  for (size_t i = 0; i < static_cast<size_t>(info.elements); ++i) {
    const double y = RealValue(info, expected, i), q = RealValue(other, found, i);
    if (!std::isfinite(y)) return NotFinite("input", info, sample);
    if (!std::isfinite(q)) return NotFinite("optimized", other, sample);
    sums.signal += y * y;
    sums.noise += (y - q) * (y - q);
  }
  return sums;
}

absl::Status CheckPairs(const std::vector<TensorInfo>& a, const std::vector<TensorInfo>& b, const char* side) {
  if (a.size() != b.size()) {
    return MakeError(absl::StatusCode::kInvalidArgument, "MODELS_DIFFER",
                     absl::StrFormat("one model has %d %ss, the other %d", a.size(), side, b.size()));
  }
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i].elements == b[i].elements) continue;
    return MakeError(absl::StatusCode::kInvalidArgument, "MODELS_DIFFER",
                     absl::StrFormat("%s '%s' has %d elements in one model and %d in the other", side,
                                     DisplayName(a[i]), a[i].elements, b[i].elements));
  }
  return absl::OkStatus();
}

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

}  // namespace

std::optional<double> SqnrDb(double signal, double noise) {
  if (noise == 0 && signal > 0) return kSqnrOfEqualDb;
  if (signal == 0) return std::nullopt;
  return 10 * std::log10(signal / noise);
}

absl::StatusOr<std::vector<OutputError>> CompareOutputs(const Model& reference,
                                                        absl::Span<const uint8_t> reference_bytes,
                                                        const Model& candidate,
                                                        absl::Span<const uint8_t> candidate_bytes,
                                                        SampleSource& samples, const CompareOptions& options) {
  LATHE_RETURN_IF_ERROR(CheckSamples(samples));
  LATHE_ASSIGN_OR_RETURN(const std::vector<TensorInfo> inputs, DescribeInputs(reference));
  LATHE_ASSIGN_OR_RETURN(const std::vector<TensorInfo> candidate_inputs, DescribeInputs(candidate));
  LATHE_RETURN_IF_ERROR(CheckPairs(inputs, candidate_inputs, "input"));
  LATHE_RETURN_IF_ERROR(samples.Rewind());
  const Spread spread =
      PlanSpread(options.threads, EstimateInterpreterBytes(reference) + EstimateInterpreterBytes(candidate),
                 options.memory_bytes, samples.size());
  // A row a sample, summed in order at the end: the result does not depend on which thread took which sample.
  std::vector<std::vector<Sums>> sums(samples.size());
  std::vector<TensorInfo> outputs;
  uint64_t done = 0;
  const SampleLoop loop = MakeLoop(options, spread, samples.size(), &done);
  LATHE_RETURN_IF_ERROR(ForEachSample(samples, loop, [&](int worker) -> absl::StatusOr<SampleWork> {
    InterpreterOptions interpreter_options;
    interpreter_options.threads = spread.threads;
    LATHE_ASSIGN_OR_RETURN(std::shared_ptr<Interpreter> a,
                           Interpreter::Create(reference, reference_bytes, interpreter_options));
    LATHE_ASSIGN_OR_RETURN(std::shared_ptr<Interpreter> b,
                           Interpreter::Create(candidate, candidate_bytes, interpreter_options));
    LATHE_RETURN_IF_ERROR(CheckPairs(a->outputs(), b->outputs(), "output"));
    if (worker == 0) outputs = a->outputs();
    return SampleWork([&inputs, &sums, a, b](const Sample& sample) -> absl::Status {
      LATHE_RETURN_IF_ERROR(Annotate(RunSample(inputs, sample, *a), "the input model"));
      LATHE_RETURN_IF_ERROR(Annotate(RunSample(inputs, sample, *b), "the optimized model"));
      for (size_t output = 0; output < a->outputs().size(); ++output) {
        LATHE_ASSIGN_OR_RETURN(Sums sum, SumErrors(*a, *b, output, sample.index));
        sums[sample.index].push_back(sum);
      }
      return absl::OkStatus();
    });
  }));
  std::vector<OutputError> errors;
  for (size_t output = 0; output < outputs.size(); ++output) {
    Sums total;
    for (const std::vector<Sums>& row : sums) {
      if (row.empty()) continue;
      total.signal += row[output].signal;
      total.noise += row[output].noise;
    }
    errors.push_back({DisplayName(outputs[output]), SqnrDb(total.signal, total.noise)});
  }
  return errors;
}

}  // namespace lathe
