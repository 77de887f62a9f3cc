#include "optimizer/passes/expand_float16_pass.h"

#include <gtest/gtest.h>

#include <cmath>

#include "optimizer/passes/float16_pass.h"
#include "tests/support/model_builder.h"
#include "tests/support/pass_properties.h"

namespace lathe {
namespace {

TEST(ExpandFloat16PassTest, UndoesFloat16UpToRounding) {
  ModelBuilder builder;
  builder.Output(builder.Conv2d(builder.Input("x", {1, 8, 8, 4}), 16, 3, 1));
  const Model original = builder.Build();
  const Model halves = ExpectPassProperties(Float16Pass(), original);
  const Model floats = ExpectPassProperties(ExpandFloat16Pass(), halves);
  ASSERT_EQ(floats.subgraphs[0].ops.size(), 1u);
  const auto weights = [](const Model& model) {
    return model.FloatData(model.subgraphs[0].tensor(model.subgraphs[0].ops[0].inputs[1]));
  };
  ASSERT_EQ(weights(floats).size(), weights(original).size());
  for (size_t i = 0; i < weights(floats).size(); ++i) {
    EXPECT_LE(std::fabs(weights(floats)[i] - weights(original)[i]), std::fabs(weights(original)[i]) * 0x1p-11f + 1e-7f);
  }
}

TEST(ExpandFloat16PassTest, LeavesFloatModelsAlone) {
  ModelBuilder builder;
  builder.Output(builder.FullyConnected(builder.Input("x", {1, 8}), 4, 1));
  ExpectPassProperties(ExpandFloat16Pass(), builder.Build());
}

}  // namespace
}  // namespace lathe
