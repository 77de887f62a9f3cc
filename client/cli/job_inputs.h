#ifndef LATHE_CLIENT_CLI_JOB_INPUTS_H_
#define LATHE_CLIENT_CLI_JOB_INPUTS_H_

// What local and remote jobs check and prepare in the same way, before anything is started.

#include <string>
#include <utility>
#include <vector>

#include "client/cli/commands.h"
#include "lathe/v1/dataset.pb.h"
#include "lathe/v1/recipe.pb.h"

namespace lathe {

// The recipe that --preset or --recipe and the flags for single settings ask for. It was resolved once, so that
// everything wrong with it is known now: INVALID_ARGUMENT USAGE, RECIPE_INVALID or BAD_REQUEST with all violations.
absl::StatusOr<v1::Recipe> MakeRecipe(const RecipeOptions& options);

// What --preprocessing, --scale and --mean ask for. RECIPE_INVALID: the file is none; its values are not checked.
absl::StatusOr<v1::Preprocessing> MakePreprocessing(const DataOptions& options);

// "LO,HI" as two numbers. USAGE: not two finite numbers with LO < HI.
absl::StatusOr<std::pair<double, double>> ParseInputRange(const std::string& text);

// OK if `path` is a file that can be read. NOT_FOUND, PERMISSION_DENIED, INVALID_ARGUMENT: `what` and the path.
absl::Status CheckReadable(const std::string& what, const std::string& path);

// OK if a file can be made at `path`: its folder exists and can be written, and it is not a folder itself.
absl::Status CheckWritable(const std::string& flag, const std::string& path);

// What a data file is called in a job directory: its own name, because errors name the file; something else where the
// directory cannot hold that, or one of `taken` has it.
std::string StagedDataName(const std::string& path, const std::vector<std::string>& taken);

// Makes `folder` and the missing ones above it.
absl::Status MakeFolder(const std::string& folder);

}  // namespace lathe

#endif  // LATHE_CLIENT_CLI_JOB_INPUTS_H_
