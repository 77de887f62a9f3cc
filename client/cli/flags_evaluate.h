#ifndef LATHE_CLIENT_CLI_FLAGS_EVALUATE_H_
#define LATHE_CLIENT_CLI_FLAGS_EVALUATE_H_

#include <CLI/CLI.hpp>

#include "client/cli/commands.h"

namespace lathe {

// The flags of `lathe evaluate` but for --threads and --server.
void AddEvaluateFlags(CLI::App* app, EvaluateOptions* options);
// What `jobs submit --kind evaluate` has of them beyond --metric and those of recipes.
void AddDataFlag(CLI::App* app, std::string* data);
// Evaluation and gates in optimize jobs.
void AddAccuracyFlags(CLI::App* app, RecipeOptions* options);

}  // namespace lathe

#endif  // LATHE_CLIENT_CLI_FLAGS_EVALUATE_H_
