#include <gmock/gmock.h>

#include "common/file.h"
#include "tests/support/shared_dir.h"
#include "wire/recipe.h"

namespace lathe {
namespace {

using ::testing::HasSubstr;

void ExpectInvalid(const std::string& text, const std::string& what) {
  const auto recipe = ParseRecipe(text, "recipe.yaml");
  ASSERT_FALSE(recipe.ok()) << text.substr(0, 200);
  EXPECT_EQ(recipe.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(recipe.status()), "RECIPE_INVALID");
  EXPECT_THAT(std::string(recipe.status().message()), HasSubstr("recipe.yaml"));
  EXPECT_THAT(std::string(recipe.status().message()), HasSubstr(what));
}

TEST(RecipeFileTest, ReadsYamlAndJson) {
  const std::string yaml = "# comment\npreset: int8\nquantize:\n  activations:\n    bits: 8\n";
  const std::string json = "\n{\"preset\": \"int8\",\t\"quantize\": {\"activations\": {\"bits\": 8}}}";
  const auto from_yaml = ParseRecipe(yaml, "a");
  const auto from_json = ParseRecipe(json, "b");
  ASSERT_TRUE(from_yaml.ok()) << from_yaml.status();
  ASSERT_TRUE(from_json.ok()) << from_json.status();
  EXPECT_EQ(from_yaml->SerializeAsString(), from_json->SerializeAsString());
}

TEST(RecipeFileTest, ReadsFiles) {
  const TempDir folder;
  ASSERT_TRUE(WriteFileAtomically(folder.path() + "/r.yaml", "preset: float16").ok());
  EXPECT_EQ(ReadRecipeFile(folder.path() + "/r.yaml")->preset(), "float16");
  const auto missing = ReadRecipeFile(folder.path() + "/missing.yaml");
  EXPECT_EQ(ReasonOf(missing.status()), "RECIPE_INVALID");
  EXPECT_THAT(std::string(missing.status().message()), HasSubstr("missing.yaml"));
}

TEST(RecipeFileTest, KeepsQuotedNumbersText) {
  EXPECT_EQ(ParseRecipe("preset: '8'", "a")->preset(), "8");
  EXPECT_EQ(ParseRecipe("preset: \"true\"", "a")->preset(), "true");
}

TEST(RecipeFileTest, NamesUnknownFields) {
  ExpectInvalid("presett: int8", "presett");
  ExpectInvalid("quantize: {weights: {bitz: 8}}", "bitz");
  ExpectInvalid("{\"quantize\": {\"bitz\": 8}}", "bitz");
}

TEST(RecipeFileTest, RefusesWrongTypesAndValues) {
  ExpectInvalid("quantize: 8", "quantize");
  ExpectInvalid("quantize: {weights: {bits: many}}", "many");
  ExpectInvalid("quantize: {weights: {bits: -8}}", "-8");
  ExpectInvalid("quantize: {weights: {bits: 99999999999999999999}}", "bits");
  ExpectInvalid("quantize: {scheme: SOMETHING}", "SOMETHING");
  ExpectInvalid("preprocessing: {scale: NaN}", "NaN");
  ExpectInvalid("preprocessing: {mean: Infinity}", "infinite");
}

TEST(RecipeFileTest, RefusesTextsThatAreNoMapping) {
  ExpectInvalid("", "");
  ExpectInvalid("int8", "mapping");
  ExpectInvalid("- preset: int8", "mapping");
  ExpectInvalid("preset: int8\n---\npreset: float16\n", "2 YAML documents");
  ExpectInvalid("{preset: [", "JSON");
  ExpectInvalid("preset: [\n", "line");
  ExpectInvalid(std::string("\x89PNG\r\n\x1a\n\0\0", 10), "");
}

TEST(RecipeFileTest, RefusesKeysThatAreSetTwice) {
  ExpectInvalid("preset: int8\npreset: float16", "'preset' is set twice");
  ExpectInvalid(R"({"preset": "int8", "preset": "float16"})", "'preset' is set twice");
}

TEST(RecipeFileTest, RefusesAliasBombs) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    text += absl::StrFormat("a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i, i, i - 1,
                            i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
  }
  ExpectInvalid(text, "values");
  ExpectInvalid("rules: &r [*r]", "");
}

TEST(RecipeFileTest, RefusesDeepAndHugeTexts) {
  ExpectInvalid("rules: " + std::string(100'000, '['), "");
  ExpectInvalid("{\"rules\": " + std::string(100'000, '['), "");
  ExpectInvalid("rules: " + std::string(40, '[') + std::string(40, ']'), "deep");
  ExpectInvalid("{\"rules\": " + std::string(40, '[') + std::string(40, ']') + "}", "deep");
  ExpectInvalid("preset: " + std::string(2 << 20, 'x'), "bytes");
}

}  // namespace
}  // namespace lathe
