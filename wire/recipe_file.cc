// Files of settings. Declared in recipe.h and preprocessing.h.

#include "common/file.h"
#include "wire/message_text.h"
#include "wire/preprocessing.h"
#include "wire/recipe.h"

namespace lathe {
namespace {

constexpr uint64_t kRecipeBytesMax = 1 << 20;

absl::Status Invalid(std::string_view what) {
  return MakeError(absl::StatusCode::kInvalidArgument, "RECIPE_INVALID", what);
}

absl::Status FillFromText(const std::string& text, google::protobuf::Message* message) {
  if (text.size() > kRecipeBytesMax) {
    return Invalid(absl::StrFormat("%d bytes, a recipe has at most %d", text.size(), kRecipeBytesMax));
  }
  const absl::Status status = ParseMessageText(text, "a mapping of settings such as 'preset: int8'", message);
  return status.ok() ? absl::OkStatus() : Invalid(std::string(status.message()));
}

}  // namespace

absl::StatusOr<v1::Recipe> ParseRecipe(const std::string& text, const std::string& origin) {
  v1::Recipe recipe;
  LATHE_RETURN_IF_ERROR(Annotate(FillFromText(text, &recipe), absl::StrFormat("recipe '%s'", origin)));
  return recipe;
}

absl::StatusOr<v1::Recipe> ReadRecipeFile(const std::string& path) {
  const auto text = ReadFile(path, kRecipeBytesMax);
  if (!text.ok()) return Invalid(absl::StrFormat("recipe: %s", text.status().message()));
  return ParseRecipe(*text, path);
}

absl::StatusOr<v1::Preprocessing> ReadPreprocessingFile(const std::string& path) {
  const auto text = ReadFile(path, kRecipeBytesMax);
  if (!text.ok()) return Invalid(absl::StrFormat("preprocessing: %s", text.status().message()));
  v1::Preprocessing preprocessing;
  LATHE_RETURN_IF_ERROR(Annotate(FillFromText(*text, &preprocessing), absl::StrFormat("preprocessing '%s'", path)));
  return preprocessing;
}

}  // namespace lathe
