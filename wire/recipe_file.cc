// Recipe files. Declared in recipe.h.

#include "common/file.h"
#include "wire/message_text.h"
#include "wire/recipe.h"

namespace lathe {
namespace {

constexpr uint64_t kRecipeBytesMax = 1 << 20;

absl::Status Invalid(std::string_view what) {
  return MakeError(absl::StatusCode::kInvalidArgument, "RECIPE_INVALID", what);
}

absl::StatusOr<v1::Recipe> RecipeFromText(const std::string& text) {
  if (text.size() > kRecipeBytesMax) {
    return Invalid(absl::StrFormat("%d bytes, a recipe has at most %d", text.size(), kRecipeBytesMax));
  }
  v1::Recipe recipe;
  const absl::Status status = ParseMessageText(text, "a mapping of settings such as 'preset: int8'", &recipe);
  if (!status.ok()) return Invalid(std::string(status.message()));
  return recipe;
}

}  // namespace

absl::StatusOr<v1::Recipe> ParseRecipe(const std::string& text, const std::string& origin) {
  auto recipe = RecipeFromText(text);
  if (!recipe.ok()) return Annotate(recipe.status(), absl::StrFormat("recipe '%s'", origin));
  return recipe;
}

absl::StatusOr<v1::Recipe> ReadRecipeFile(const std::string& path) {
  const auto text = ReadFile(path, kRecipeBytesMax);
  if (!text.ok()) return Invalid(absl::StrFormat("recipe: %s", text.status().message()));
  return ParseRecipe(*text, path);
}

}  // namespace lathe
