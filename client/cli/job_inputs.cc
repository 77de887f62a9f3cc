#include "client/cli/job_inputs.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <filesystem>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "common/file.h"
#include "common/utf8.h"
#include "optimizer/recipe/validate.h"
#include "wire/preprocessing.h"
#include "wire/recipe.h"

namespace lathe {
namespace {

absl::Status UnknownWord(std::string_view flag, std::string_view word, std::string_view known) {
  return UsageError(absl::StrFormat("%s '%s', expected %s", flag, word, known));
}

// The settings that have flags of their own.
absl::Status FillSettings(const RecipeOptions& options, v1::Recipe* recipe) {
  v1::Quantize::IoType io_type;
  if (v1::Quantize::IoType_Parse(absl::AsciiStrToUpper(options.io_type), &io_type) && io_type != 0) {
    recipe->mutable_quantize()->set_io_type(io_type);
  } else if (!options.io_type.empty()) {
    return UnknownWord("--io-type", options.io_type, "float32, int8, uint8 or int16");
  }
  v1::Recipe::Effort effort;
  if (v1::Recipe::Effort_Parse(absl::AsciiStrToUpper(options.effort), &effort) && effort != 0) {
    recipe->set_effort(effort);
  } else if (!options.effort.empty()) {
    return UnknownWord("--effort", options.effort, "fast, balanced or best");
  }
  if (options.min_sqnr_db) recipe->set_min_sqnr_db(*options.min_sqnr_db);
  if (options.allow_larger) recipe->set_allow_larger(true);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::Recipe> MakeRecipe(const RecipeOptions& options) {
  if (options.preset.empty() == options.recipe_path.empty()) {
    return UsageError("one of --preset and --recipe is needed; `lathe passes` lists the presets");
  }
  v1::Recipe recipe;
  recipe.set_preset(options.preset);
  if (!options.recipe_path.empty()) {
    LATHE_ASSIGN_OR_RETURN(recipe, ReadRecipeFile(options.recipe_path));
  }
  LATHE_RETURN_IF_ERROR(FillSettings(options, &recipe));
  LATHE_ASSIGN_OR_RETURN(const v1::Preprocessing given, MakePreprocessing(options.data));
  if (given.ByteSizeLong() > 0) {
    *recipe.mutable_preprocessing() = PreprocessingToProto(
        MergePreprocessing(PreprocessingFromProto(recipe.preprocessing()), PreprocessingFromProto(given)));
  }
  LATHE_RETURN_IF_ERROR(ResolveRecipe(RecipeFromProto(recipe), "recipe").status());
  return recipe;
}

absl::StatusOr<v1::Preprocessing> MakePreprocessing(const DataOptions& options) {
  v1::Preprocessing preprocessing;
  if (!options.preprocessing_path.empty()) {
    LATHE_ASSIGN_OR_RETURN(preprocessing, ReadPreprocessingFile(options.preprocessing_path));
  }
  Preprocessing flags;
  flags.scale = options.scale;
  flags.mean = options.mean;
  return PreprocessingToProto(MergePreprocessing(PreprocessingFromProto(preprocessing), flags));
}

absl::StatusOr<std::pair<double, double>> ParseInputRange(const std::string& text) {
  const std::vector<std::string> parts = absl::StrSplit(text, ',');
  double low = 0, high = 0;
  const bool numbers = parts.size() == 2 && absl::SimpleAtod(parts[0], &low) && absl::SimpleAtod(parts[1], &high);
  if (numbers && std::isfinite(low) && std::isfinite(high) && low < high) return std::pair(low, high);
  return UsageError(absl::StrFormat(
      "--input-range is '%s', expected two finite numbers LO,HI with LO below HI, e.g. --input-range=-1,1", text));
}

absl::Status CheckReadable(const std::string& what, const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return ErrnoToStatus(errno, what, path);
  struct stat info {};
  const bool is_file = fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
  close(fd);
  if (is_file) return absl::OkStatus();
  return MakeError(absl::StatusCode::kInvalidArgument, "NOT_A_FILE",
                   absl::StrFormat("%s '%s' is not a file", what, path));
}

absl::Status CheckWritable(const std::string& flag, const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    return MakeError(absl::StatusCode::kInvalidArgument, "NOT_A_FILE",
                     absl::StrFormat("%s '%s' is a folder; name a file in it", flag, path));
  }
  std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (folder.empty()) folder = ".";
  if (access(folder.c_str(), W_OK | X_OK) == 0) return absl::OkStatus();
  return ErrnoToStatus(errno, flag + " cannot be written: folder", folder.string());
}

std::string StagedDataName(const std::string& path, const std::vector<std::string>& taken) {
  const std::string name = path.substr(path.rfind('/') + 1);
  const bool free = std::find(taken.begin(), taken.end(), name) == taken.end();
  if (free && name.find("..") == std::string::npos && CleanUtf8(name) == name) return name;
  return "data" + name.substr(std::min(name.rfind('.'), name.size()));
}

absl::Status MakeFolder(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!error && access(folder.c_str(), W_OK | X_OK) == 0) return absl::OkStatus();
  return ErrnoToStatus(error ? error.value() : errno, "--report cannot be written: folder", folder);
}

}  // namespace lathe
