#include "runtime/held_back.h"

#include <algorithm>

#include "absl/hash/hash.h"
#include "runtime/exposed_model.h"
#include "runtime/sample_subset.h"

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

// A quarter of the samples comes first, evenly spaced, because data files are often sorted; fewer than 8 say little.
absl::Status HeldBack::Split() {
  constexpr size_t kFirstMin = 8, kStrideMax = 4;
  const size_t stride = std::min(samples_.size() / kFirstMin, kStrideMax);
  if (stride < 2) return absl::OkStatus();
  std::vector<size_t> first, rest;
  for (size_t i = 0; i < samples_.size(); ++i) (i % stride == 0 ? first : rest).push_back(i);
  // Nothing is kept: what `samples_` keeps is enough.
  LATHE_ASSIGN_OR_RETURN(first_, SelectSamples(samples_, std::move(first), 0));
  LATHE_ASSIGN_OR_RETURN(rest_, SelectSamples(samples_, std::move(rest), 0));
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<HeldBack>> HeldBack::Create(const Model& reference,
                                                           absl::Span<const uint8_t> reference_bytes,
                                                           SampleSource& samples, const HeldBackOptions& options) {
  LATHE_ASSIGN_OR_RETURN(auto held_back, CreateUnanswered(reference, reference_bytes, samples, options));
  LATHE_RETURN_IF_ERROR(RunReference(reference, reference_bytes, samples, options, held_back->outputs_));
  return held_back;
}

absl::StatusOr<std::unique_ptr<HeldBack>> HeldBack::CreateUnanswered(const Model& reference,
                                                                     absl::Span<const uint8_t> reference_bytes,
                                                                     SampleSource& samples,
                                                                     const HeldBackOptions& options) {
  std::unique_ptr<HeldBack> held_back(new HeldBack(reference, reference_bytes, samples, options));
  LATHE_RETURN_IF_ERROR(held_back->Split());
  return held_back;
}

void HeldBack::Answer(const Sample& sample, const Interpreter& interpreter) {
  outputs_.Keep(sample.index, interpreter, reference_.subgraphs[0].outputs.size());
}

absl::StatusOr<HeldBackErrors> HeldBack::Measure(const Model& candidate, const GoesOn& goes_on) {
  const ScratchFile file(options_.scratch_dir + "/candidate.tflite");
  LATHE_ASSIGN_OR_RETURN(const auto mapped, file.Write(candidate));
  return Measure(candidate, *mapped, goes_on);
}

absl::StatusOr<HeldBackErrors> HeldBack::Measure(const Model& candidate, const MappedFile& file,
                                                 const GoesOn& goes_on) {
  const std::pair key(file.bytes().size(), absl::Hash<absl::Span<const uint8_t>>()(file.bytes()));
  if (const auto known = measured_.find(key); known != measured_.end()) return known->second;
  LATHE_ASSIGN_OR_RETURN(HeldBackErrors found, Run(candidate, file, goes_on));
  found.bytes = file.bytes().size();
  if (found.samples == samples_.size()) measured_.emplace(key, found);
  return found;
}

absl::StatusOr<HeldBackErrors> HeldBack::Run(const Model& candidate, const MappedFile& file, const GoesOn& goes_on) {
  OutputComparison comparison({reference_, reference_bytes_, options_.reference_file}, {candidate, file.bytes(), &file},
                              options_);
  HeldBackErrors found;
  found.samples = samples_.size();
  if (goes_on == nullptr || first_ == nullptr) {
    LATHE_RETURN_IF_ERROR(comparison.Run(samples_));
    found.errors = comparison.Errors();
    return found;
  }
  LATHE_RETURN_IF_ERROR(comparison.Run(*first_));
  found.first = found.errors = comparison.Errors();
  if (!goes_on(found.first)) {
    found.samples = first_->size();
    return found;
  }
  LATHE_RETURN_IF_ERROR(comparison.Run(*rest_));
  found.errors = comparison.Errors();
  return found;
}

}  // namespace lathe
