#ifndef LATHE_OPTIMIZER_PASSES_CALIBRATION_NOTES_H_
#define LATHE_OPTIMIZER_PASSES_CALIBRATION_NOTES_H_

#include <string>
#include <vector>

#include "optimizer/model/model.h"
#include "optimizer/passes/activation_stats.h"
#include "optimizer/passes/sample_ranges.h"
#include "optimizer/report/report.h"

namespace lathe {

// What looks wrong with calibration data. Most int8 models that answer nonsense were calibrated on data that was not
// what the model expects.
struct CalibrationNotes {
  // Samples unlike the others, at most kNotesMax, the worst first: a tensor reaches kOutlierRatio times what the others
  // reach (FindUsual), or all values of an input are equal.
  std::vector<SampleNote> samples;
  // Activations with one value on every sample, at most kNotesMax, in the order of the graph.
  std::vector<TensorNote> tensors;
  // For the user to read: one sentence on each kind of note, and on inputs and outputs that look as if the data was
  // prepared in another way than the model expects.
  std::vector<std::string> warnings;
};

inline constexpr size_t kNotesMax = 20;

// REQUIRES: both were made of this very model.
CalibrationNotes ExamineCalibration(const Model& model, const ActivationStats& stats, const SampleRanges& by_sample);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_CALIBRATION_NOTES_H_
