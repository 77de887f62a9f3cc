#include "executor/error_target.h"

#include <gtest/gtest.h>

#include "optimizer/recipe/gate.h"
#include "optimizer/recipe/validate.h"
#include "wire/gate.h"

namespace lathe {
namespace {

Recipe Resolved(const std::string& preset) {
  Recipe recipe;
  recipe.preset = preset;
  return *ResolveRecipe(recipe, "recipe");
}

google::protobuf::RepeatedPtrField<v1::Gate> Gates(const std::vector<std::string>& texts) {
  google::protobuf::RepeatedPtrField<v1::Gate> gates;
  for (const std::string& text : texts) *gates.Add() = GateToProto(*ParseGate(text));
  return gates;
}

OutputError Error(double sqnr_db, double mean_removed_db) {
  OutputError error;
  error.sqnr_db = sqnr_db;
  error.sqnr_mean_removed_db = mean_removed_db;
  return error;
}

TEST(ErrorTargetTest, MinSqnrIsAboutEveryOutput) {
  Recipe recipe = Resolved("int8");
  EXPECT_TRUE(ErrorTarget(recipe, {}).empty());
  recipe.min_sqnr_db = 30;
  const ErrorTarget target(recipe, {});
  EXPECT_TRUE(target.is_strict());
  EXPECT_NEAR(target.Excess({Error(99, 40), Error(99, 20)}), 10, 1e-9);
  EXPECT_NEAR(target.Excess({Error(99, 30)}), 1, 1e-9);
  EXPECT_EQ(target.Text(), "30 dB");
}

TEST(ErrorTargetTest, GatesAreAboutTheirOutput) {
  const ErrorTarget target(
      Resolved("int8"),
      Gates({"error.outputs[1].sqnr_db >= 20", "error.outputs[0].sqnr_mean_removed_db > 10", "output.bytes <= 100",
             "error.outputs[0].argmax_agreement >= 0.9", "error.outputs[1].sqnr_db <= 90"}));
  EXPECT_FALSE(target.empty());
  EXPECT_FALSE(target.is_strict());
  EXPECT_NEAR(target.Excess({Error(0, 10), Error(20, 0)}), 1, 1e-9);
  EXPECT_NEAR(target.Excess({Error(0, 0), Error(20, 0)}), 10, 1e-9);
  EXPECT_NEAR(target.Excess({Error(0, 20), Error(0, 0)}), 100, 1e-9);
  EXPECT_EQ(target.Text(), "the gates");
}

TEST(ErrorTargetTest, GatesCountOnlyWhereOperatorsMayFallBack) {
  const auto gates = Gates({"error.outputs[0].sqnr_db >= 20"});
  EXPECT_FALSE(ErrorTarget(Resolved("int8"), gates).empty());
  EXPECT_TRUE(ErrorTarget(Resolved("dynamic-range"), gates).empty());
  EXPECT_TRUE(ErrorTarget(Resolved("edge-tpu"), gates).empty());
}

}  // namespace
}  // namespace lathe
