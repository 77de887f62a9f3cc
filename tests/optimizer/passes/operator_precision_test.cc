#include "optimizer/passes/operator_precision.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "optimizer/passes/registry.h"
#include "optimizer/recipe/plan.h"
#include "optimizer/recipe/validate.h"
#include "tests/support/model_builder.h"
#include "tests/support/pass_properties.h"

namespace lathe {
namespace {

Model ConvolutionAndPrelu() {
  ModelBuilder builder;
  const TensorId x = builder.Conv2d(builder.Input("x", {1, 8, 8, 16}), 32, 3, 1);
  const TensorId y = builder.Activation("y", {1, 8, 8, 32});
  builder.AddOp(OpKind::kPrelu, {x, builder.RandomConstant("alpha", {1, 1, 32}, 9)}, {y});
  builder.Output(y);
  return builder.Build();
}

Recipe Resolved(const std::string& preset) {
  Recipe recipe;
  recipe.preset = preset;
  return ResolveRecipe(recipe, "recipe").value();
}

// {kind, precision, whether a reason is given} of every operator after the preset.
using Row = std::tuple<std::string, std::string, bool>;
std::vector<Row> RowsAfter(const std::string& preset) {
  const Recipe recipe = Resolved(preset);
  Model model = ConvolutionAndPrelu();
  for (const std::string& name : PlanRecipe(recipe)) {
    const RangeTable ranges = UnitRanges(model);
    PassContext context;
    context.ranges = &ranges;
    EXPECT_TRUE(RunPass(*MakePass(name, recipe).value(), model, context).ok());
  }
  std::vector<Row> rows;
  for (const OperatorReport& row : DescribeOperators(model, recipe)) {
    rows.emplace_back(row.kind, row.precision, !row.reason.empty());
  }
  return rows;
}

TEST(DescribeOperatorsTest, TellsPrecisionAndReason) {
  using ::testing::ElementsAre;
  EXPECT_THAT(RowsAfter("float16"), ElementsAre(Row("DEQUANTIZE", "float16", false), Row("CONV_2D", "float16", false),
                                                Row("PRELU", "float32", false)));
  EXPECT_THAT(RowsAfter("dynamic-range"),
              ElementsAre(Row("CONV_2D", "dynamic-range int8", false), Row("PRELU", "float32", false)));
  EXPECT_THAT(RowsAfter("weight-only-int8"),
              ElementsAre(Row("DEQUANTIZE", "int8", false), Row("CONV_2D", "weight-only int8", false),
                          Row("PRELU", "float32", false)));
  EXPECT_THAT(RowsAfter("int8"), ElementsAre(Row("QUANTIZE", "int8", false), Row("CONV_2D", "int8", false),
                                             Row("DEQUANTIZE", "int8", false), Row("PRELU", "float32", true)));
}

TEST(CountEligibleTest, IsZeroForAModelThatIsQuantizedAlready) {
  const Recipe recipe = Resolved("dynamic-range");
  Model model = ConvolutionAndPrelu();
  EXPECT_EQ(CountEligible(model, recipe), 1);
  PassContext context;
  ASSERT_TRUE(RunPass(*MakePass("quantize-dynamic-range", recipe).value(), model, context).ok());
  EXPECT_EQ(CountEligible(model, recipe), 0);
  EXPECT_THAT(WhyNothingToDo(model), ::testing::HasSubstr("quantized already"));
}

}  // namespace
}  // namespace lathe
