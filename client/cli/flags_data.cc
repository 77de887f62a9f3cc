#include "client/cli/flags_data.h"

namespace lathe {

void AddDataFlags(CLI::App* app, DataOptions* options) {
  CLI::Option* scale = app->add_option("--scale", options->scale, "Integers and images become (value - mean) * scale");
  app->add_option("--mean", options->mean, "See --scale; default 0")->needs(scale);
  app->add_option("--preprocessing", options->preprocessing_path,
                  "YAML or JSON file: resize, crop, channels, scale, mean; see docs/data.md");
  app->add_option("--samples", options->samples, "Use so many samples, drawn by --seed; default: all")
      ->check(CLI::Range(1, INT32_MAX));
}

}  // namespace lathe
