#ifndef LATHE_EXECUTOR_QUANTIZATION_CHOICE_H_
#define LATHE_EXECUTOR_QUANTIZATION_CHOICE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "executor/candidate.h"
#include "executor/error_target.h"
#include "optimizer/recipe/recipe.h"
#include "optimizer/report/report.h"
#include "runtime/held_back.h"
#include "runtime/samples.h"

namespace lathe {

// What a job hands to the choice of its quantization. Everything outlives it.
struct ChoiceInputs {
  const Recipe& recipe;             // resolved
  std::vector<std::string> passes;  // those that quantize, in order
  SampleSource& calibration;        // what ranges and the like are taken from
  // Decides what stays; null: nothing to decide, too few samples to hold any back, or made-up
  // ones: the fixed defaults apply.
  HeldBack* held_back = nullptr;
  // The samples of `calibration` and those held back, whose indices are `held_back_indices` (ascending): read once from
  // end to end, so that damaged data is noticed. Where the model is still the reference, `answering` is told what it
  // answers to those held back meanwhile. Null: none are held back; nobody wants the answers.
  SampleSource* all = nullptr;
  std::vector<size_t> held_back_indices;
  HeldBack* answering = nullptr;
  bool calibrate = false;    // observe activations; needed by passes that ask for ranges
  bool sensitivity = false;  // measure what each operator adds to the error
  ErrorTarget target;        // what operators fall back for
  int threads = 1;
  uint64_t memory_bytes = 0;               // 0: no budget
  const MappedFile* input_file = nullptr;  // that constants are views of; its pages are released while samples run
  std::string scratch_dir;
  CancelToken cancel;
  // Called before each part with its name ("calibrate", "choose", "fallback", ...) and, while samples run, with how
  // many.
  std::function<void(const std::string& part)> begin;
  std::function<void(uint64_t done, uint64_t total)> samples_done;
};

// How a model is quantized, and what led to it.
struct QuantizationChoice {
  Candidate candidate;
  SettingsTable settings;
  std::map<int32_t, std::string> fallback_reasons;  // by Op::origin
  std::vector<StageReport> stages;
  std::vector<SensitivityReport> sensitivity;
  CalibrationReport calibration;
  std::vector<std::string> warnings;
};

// Whether the recipe leaves anything to choose by held-back samples but fallback. REQUIRES: resolved.
bool TriesCorrections(const Recipe& recipe);

// Calibrates the prepared float model if asked, tries the corrections that the recipe's effort
// allows, measures sensitivity when asked, and falls back operator by operator where the target is not reached.
// Errors as Calibrate, the passes and FindFallback. FAILED_PRECONDITION NEEDS_SAMPLES: sensitivity or a strict target
// without samples held back.
absl::StatusOr<QuantizationChoice> ChooseQuantization(Model model, SettingsTable settings, const ChoiceInputs& inputs);

}  // namespace lathe

#endif  // LATHE_EXECUTOR_QUANTIZATION_CHOICE_H_
