#ifndef LATHE_OPTIMIZER_RECIPE_METRIC_H_
#define LATHE_OPTIMIZER_RECIPE_METRIC_H_

// What a user asks to be measured about a model's answers, as plain data: the names that --metric knows, and how
// outputs become answers. runtime/metrics computes them; a test holds its registry against this table.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/status.h"

namespace lathe {

struct MetricInfo {
  const char* name;
  const char* unit;  // fraction, percent, db, value, nats
  bool higher_is_better;
  bool needs_labels;  // false: compares a model's outputs with another model's
  const char* description;
};

// Every figure that a report can name, in the order in which they are shown to users.
const std::vector<MetricInfo>& Metrics();
// Null: no such metric.
const MetricInfo* FindMetric(std::string_view name);
// What evaluation measures when no metric is given.
inline constexpr char kDefaultMetric[] = "agreement";

// How outputs become answers. The defaults suit models that need none of it; docs/metrics.md describes each.
struct MetricOptions {
  // The output that is read, by signature or tensor name; "": the only one (metrics without labels: all).
  std::string output;
  // A label of the data means label * label_scale + label_offset.
  double label_scale = 1, label_offset = 0;
  // psnr: the largest value that a signal can have. Default 1.
  std::optional<double> peak;

  // wer, cer: scores of [frames, classes].
  struct Ctc {
    std::optional<uint32_t> blank;  // its class; default: the last
    // One UTF-8 character for each class but the blank, in order; "": the default for 28 and 29 classes.
    std::string alphabet;
  } ctc;

  // map.
  struct Anchor {
    double width = 0, height = 0;  // pixels
  };
  struct Detection {
    // kAuto: a model of one output is a grid, one of four TFLite_Detection_PostProcess.
    enum class Format { kAuto, kGrid, kPostProcess } format = Format::kAuto;
    double score_min = 0.01;                          // candidates below are dropped
    double overlap_max = 0.45;                        // grid: IoU above it with a better box of its class drops a box
    uint32_t detections_max = 100;                    // of an image
    double size_log_max = 2;                          // grid: tw and th are cut at it
    std::vector<Anchor> anchors;                      // grid; default: one of 3 cells
    std::optional<double> image_width, image_height;  // pixels; default: those of the model's input [1, h, w, c]
    double class_offset = 0;                          // added to the model's classes to get those of the labels
    std::string boxes, classes, scores, count;        // post-process: names of outputs; "": in this order
  } detection;

  // f1, em.
  struct AnswerSpan {
    std::string input;  // of token ids; "": the only one
    std::string start = "start_logits", end = "end_logits";
    int64_t separator = 2;                // the context lies between the first two
    uint32_t window = 8;                  // most tokens of an answer
    std::vector<std::string> vocabulary;  // text of each token id; empty: ids stand for words
  } answer_span;
};

// What is wrong with a request, by fields `metric_field` and `options_field`; empty: nothing.
std::vector<FieldViolation> CheckMetric(std::string_view name, const MetricOptions& options,
                                        const std::string& metric_field, const std::string& options_field);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_RECIPE_METRIC_H_
