#ifndef LATHE_WIRE_RECIPE_H_
#define LATHE_WIRE_RECIPE_H_

#include <string>

#include "common/status.h"
#include "lathe/v1/recipe.pb.h"
#include "optimizer/recipe/recipe.h"

namespace lathe {

// The message as a plain recipe. Whatever is set and has no place in the plain one (other kinds of work, values without
// a meaning, fields from a newer client) is listed in unsupported_fields by its path, so that ResolveRecipe refuses it;
// Cannot fail.
Recipe RecipeFromProto(const v1::Recipe& proto);

// The other way, for a resolved recipe that is shown to the user. unsupported_fields is left behind.
v1::Recipe RecipeToProto(const Recipe& recipe);

// Reads a recipe file: YAML or JSON, the message's JSON form; field names in snake_case or camelCase, enum values in
// upper or lower case. All errors are INVALID_ARGUMENT RECIPE_INVALID naming `path`: larger than 1 MiB, more than one
// document, not a mapping, nested too deeply, aliases that blow up, duplicate keys, unknown fields (named), wrong
// types.
absl::StatusOr<v1::Recipe> ReadRecipeFile(const std::string& path);

// ReadRecipeFile for a text; `origin` names it in errors.
absl::StatusOr<v1::Recipe> ParseRecipe(const std::string& text, const std::string& origin);

}  // namespace lathe

#endif  // LATHE_WIRE_RECIPE_H_
