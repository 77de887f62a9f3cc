#include "client/cli/flags_evaluate.h"

namespace lathe {
namespace {

constexpr char kMetric[] =
    "top1, top5, wer, cer, map, f1, em, psnr, rmse, auc; against another model without labels: agreement, sqnr, "
    "cosine, kl";
constexpr char kMetricOptions[] = "How outputs are read, as a YAML or JSON file; see docs/metrics.md";
constexpr char kGate[] =
    "Condition on the report, may be repeated: PATH <=|>=|<|> THRESHOLD, e.g. 'output.bytes <= 500 kB', 'output.bytes "
    "<= 0.3 * "
    "input', 'accuracy.output >= input - 0.5 points', 'latency.output_ms < input', 'error.outputs[0].sqnr_db >= 30'. A "
    "missed "
    "one fails the command (exit code 1), and the file is written all the same";
constexpr char kExamples[] = R"(Examples:
  Images as bytes, one label each:
    lathe evaluate model.tflite --data test.npz --metric top1 --scale 0.00392156862745098
  Is the optimized model worse, or is that chance?
    lathe evaluate model.tflite --against small.tflite --data test.npz --metric wer
  Without labels, how near the optimized model stays to the other:
    lathe evaluate model.tflite --against small.tflite --data samples.npz --metric agreement)";

}  // namespace

void AddDataFlag(CLI::App* app, std::string* data) {
  app->add_option("--data", *data, "Data file with inputs and labels (column label or labels)");
}

void AddEvaluateFlags(CLI::App* app, EvaluateOptions* options) {
  app->add_option("MODEL", options->model, "A .tflite file")->required();
  app->add_option("--data", options->data, "Data file with inputs and labels (column label or labels)")->required();
  app->add_option("--metric", options->metric, kMetric)->required();
  app->add_option("--against", options->against, "Another model, on the same samples");
  app->add_option("--metric-options", options->metric_options_path, kMetricOptions);
  app->add_option("--samples", options->samples, "Use so many samples, drawn by --seed; default: all")
      ->check(CLI::Range(1, INT32_MAX));
  CLI::Option* scale = app->add_option("--scale", options->scale, "Integer data becomes (value - mean) * scale");
  app->add_option("--mean", options->mean, "See --scale; default 0")->needs(scale);
  app->add_option("--seed", options->seed, "Seed of --samples and of the interval; default 0");
  app->add_option("--predictions", options->predictions_dir, "Folder for every model's answers as .npy files");
  app->footer(kExamples);
}

void AddAccuracyFlags(CLI::App* app, RecipeOptions* options) {
  app->add_option("--evaluation", options->evaluation, "Data that input and result are compared on by --metric");
  CLI::Option* metric = app->add_option("--metric", options->metric, std::string(kMetric) + ". Default: agreement");
  app->add_option("--metric-options", options->metric_options_path, kMetricOptions)->needs(metric);
  app->add_option("--gate", options->gates, kGate);
}

}  // namespace lathe
