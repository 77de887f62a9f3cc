#include "optimizer/passes/calibration_notes.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_format.h"

namespace lathe {
namespace {

// Fewer elements are equal by chance or by design.
constexpr int64_t kElementsMin = 16;

int64_t CountElements(const Tensor& tensor) {
  int64_t elements = 1;
  for (int32_t dimension : tensor.shape) elements *= std::max(dimension, 1);
  return elements;
}

class Examiner {
 public:
  Examiner(const Model& model, const ActivationStats& stats, const SampleRanges& by_sample)
      : graph_(model.subgraphs[0]), stats_(stats), by_sample_(by_sample) {}

  CalibrationNotes Run() {
    NoteOutliers();
    NoteConstantInputs();
    NoteConstantTensors();
    WarnOfPixels();
    WarnOfEqualAnswers();
    return std::move(notes_);
  }

 private:
  struct Outlier {
    float ratio = 0;
    TensorId tensor;
    TensorRange range;
  };

  const std::string& NameOf(TensorId id) const { return graph_.tensor(id).name; }

  void NoteOutliers() {
    std::map<size_t, Outlier> worst;  // by sample
    for (size_t i = 0; i < graph_.tensors.size(); ++i) {
      const std::vector<SampleRange>& samples = by_sample_.Find(TensorId(i));
      if (samples.empty()) continue;
      const float usual = FindUsual(samples).reach;
      for (const SampleRange& sample : samples) {
        const float ratio = usual > 0 ? Reach(sample.range) / usual : 0;
        Outlier& outlier = worst[sample.sample];
        if (ratio > outlier.ratio) outlier = {ratio, TensorId(i), sample.range};
      }
    }
    std::vector<std::pair<size_t, Outlier>> found;
    std::copy_if(worst.begin(), worst.end(), std::back_inserter(found),
                 [](const auto& sample) { return sample.second.ratio > kOutlierRatio; });
    std::stable_sort(found.begin(), found.end(),
                     [](const auto& a, const auto& b) { return a.second.ratio > b.second.ratio; });
    if (found.empty()) return;
    for (const auto& [sample, outlier] : found) {
      AddNote(sample, outlier.tensor,
              absl::StrFormat("reaches %.3g, %.1f times what the other samples reach", Reach(outlier.range),
                              outlier.ratio));
    }
    notes_.warnings.push_back(absl::StrFormat(
        "calibration data: %d %s unlike the others; the first is sample %d, where '%s' %s: look at it, or leave it out",
        found.size(), found.size() == 1 ? "sample is" : "samples are", notes_.samples[0].sample,
        notes_.samples[0].tensor, notes_.samples[0].reason));
  }

  void NoteConstantInputs() {
    size_t count = 0;
    std::string first;
    for (TensorId id : graph_.inputs) {
      if (CountElements(graph_.tensor(id)) < kElementsMin) continue;
      for (const SampleRange& sample : by_sample_.Find(id)) {
        if (sample.range.min != sample.range.max) continue;
        const std::string reason = absl::StrFormat("every value is %g", sample.range.min);
        if (count++ == 0) first = absl::StrFormat("sample %d: %s of '%s'", sample.sample, reason, NameOf(id));
        AddNote(sample.sample, id, reason);
      }
    }
    if (count > 0) {
      notes_.warnings.push_back(
          absl::StrFormat("calibration data: %d %s empty (%s): such samples teach nothing about ranges", count,
                          count == 1 ? "sample is" : "samples are", first));
    }
  }

  void AddNote(size_t sample, TensorId id, std::string reason) {
    if (notes_.samples.size() < kNotesMax) notes_.samples.push_back({sample, NameOf(id), std::move(reason)});
  }

  void NoteConstantTensors() {
    size_t count = 0;
    for (size_t i = 0; i < graph_.tensors.size(); ++i) {
      const TensorStats* seen = stats_.Find(TensorId(i));
      if (seen == nullptr || seen->range.min != seen->range.max) continue;
      if (CountElements(graph_.tensors[i]) < kElementsMin) continue;
      if (count++ < kNotesMax) {
        notes_.tensors.push_back(
            {graph_.tensors[i].name, absl::StrFormat("every value is %g on every sample", seen->range.min)});
      }
    }
    if (count == 0) return;
    notes_.warnings.push_back(absl::StrFormat(
        "%d %s one value on every calibration sample, '%s' among them: nothing is known about %s range on other data",
        count, count == 1 ? "activation has" : "activations have", notes_.tensors[0].tensor,
        count == 1 ? "its" : "their"));
  }

  // Bytes of a picture that nobody scaled. A model that wants them starts by scaling them itself.
  void WarnOfPixels() {
    for (TensorId id : graph_.inputs) {
      const TensorStats* seen = stats_.Find(id);
      if (seen == nullptr || seen->range.min != 0 || seen->range.max != 255 || ScalesItself(id)) continue;
      notes_.warnings.push_back(
          absl::StrFormat("calibration data: input '%s' goes from 0 to 255 and the model does not scale it: if it was "
                          "trained on scaled "
                          "pixels, give --scale and --mean",
                          NameOf(id)));
    }
  }

  bool ScalesItself(TensorId input) const {
    return std::any_of(graph_.ops.begin(), graph_.ops.end(), [&](const Op& op) {
      const bool arithmetic =
          op.kind == OpKind::kMul || op.kind == OpKind::kDiv || op.kind == OpKind::kSub || op.kind == OpKind::kAdd;
      return arithmetic && std::count(op.inputs.begin(), op.inputs.end(), input) > 0;
    });
  }

  void WarnOfEqualAnswers() {
    for (TensorId id : graph_.outputs) {
      const std::vector<SampleRange>& samples = by_sample_.Find(id);
      if (samples.size() < kUsualSamplesMin || CountElements(graph_.tensor(id)) < 2) continue;
      const bool equal = std::all_of(samples.begin(), samples.end(),
                                     [&](const SampleRange& sample) { return sample.range == samples[0].range; });
      if (!equal) continue;
      notes_.warnings.push_back(absl::StrFormat(
          "output '%s' spans exactly %g to %g on every calibration sample: the input model itself gives constant or "
          "saturated answers, mostly because data is not prepared as the model expects (--scale, --mean)",
          NameOf(id), samples[0].range.min, samples[0].range.max));
    }
  }

  const Subgraph& graph_;
  const ActivationStats& stats_;
  const SampleRanges& by_sample_;
  CalibrationNotes notes_;
};

}  // namespace

CalibrationNotes ExamineCalibration(const Model& model, const ActivationStats& stats, const SampleRanges& by_sample) {
  return Examiner(model, stats, by_sample).Run();
}

}  // namespace lathe
