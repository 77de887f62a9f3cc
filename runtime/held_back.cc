#include "runtime/held_back.h"

#include "runtime/exposed_model.h"

namespace lathe {

HeldBack::HeldBack(const Model& reference, absl::Span<const uint8_t> reference_bytes, SampleSource& samples,
                   const HeldBackOptions& options)
    : reference_(reference),
      reference_bytes_(reference_bytes),
      samples_(samples),
      options_(options),
      outputs_(options.outputs_bytes_max) {
  options_.known = &outputs_;
}

absl::StatusOr<std::unique_ptr<HeldBack>> HeldBack::Create(const Model& reference,
                                                           absl::Span<const uint8_t> reference_bytes,
                                                           SampleSource& samples, const HeldBackOptions& options) {
  std::unique_ptr<HeldBack> held_back(new HeldBack(reference, reference_bytes, samples, options));
  LATHE_RETURN_IF_ERROR(RunReference(reference, reference_bytes, samples, options, held_back->outputs_));
  return held_back;
}

std::unique_ptr<HeldBack> HeldBack::CreateUnanswered(const Model& reference, absl::Span<const uint8_t> reference_bytes,
                                                     SampleSource& samples, const HeldBackOptions& options) {
  return std::unique_ptr<HeldBack>(new HeldBack(reference, reference_bytes, samples, options));
}

void HeldBack::Answer(const Sample& sample, const Interpreter& interpreter) {
  outputs_.Keep(sample.index, interpreter, reference_.subgraphs[0].outputs.size());
}

absl::StatusOr<std::vector<OutputError>> HeldBack::Measure(const Model& candidate, uint64_t* bytes) {
  const ScratchFile file(options_.scratch_dir + "/candidate.tflite");
  LATHE_ASSIGN_OR_RETURN(const auto mapped, file.Write(candidate));
  if (bytes != nullptr) *bytes = mapped->bytes().size();
  return Measure(candidate, *mapped);
}

absl::StatusOr<std::vector<OutputError>> HeldBack::Measure(const Model& candidate, const MappedFile& file) {
  HeldBackOptions options = options_;
  options.candidate_file = &file;
  return CompareOutputs(reference_, reference_bytes_, candidate, file.bytes(), samples_, options);
}

}  // namespace lathe
