#include "runtime/plain_model.h"

#include <gtest/gtest.h>

#include "tests/support/model_builder.h"

namespace lathe {
namespace {

Model TwoOutputs() {
  ModelBuilder builder;
  const TensorId in = builder.Input("in", {1, 2});
  for (const char* name : {"a", "b"}) {
    const TensorId out = builder.Activation(name, {1, 2});
    builder.AddOp(OpKind::kRelu, {in}, {out});
    builder.Output(out);
  }
  builder.AddSignature("main");
  return builder.Build();
}

TEST(PlainModelTest, AcceptsWhatTheRuntimeUnderstands) {
  Model model = TwoOutputs();
  EXPECT_TRUE(IsPlain(model));
  std::swap(model.signatures[0].outputs[0], model.signatures[0].outputs[1]);
  EXPECT_TRUE(IsPlain(model));
  model.signatures.clear();
  EXPECT_TRUE(IsPlain(model));
}

TEST(PlainModelTest, FindsWhatTheRuntimeMistakes) {
  Model model = TwoOutputs();
  model.signatures[0].outputs.pop_back();
  EXPECT_FALSE(IsPlain(model));

  model = TwoOutputs();
  model.signatures.clear();
  Subgraph& graph = model.subgraphs[0];
  graph.tensor(graph.outputs[0]).name = graph.tensor(graph.outputs[1]).name;
  EXPECT_FALSE(IsPlain(model));

  model = TwoOutputs();
  model.subgraphs[0].outputs.push_back(model.subgraphs[0].inputs[0]);
  EXPECT_FALSE(IsPlain(model));

  model = TwoOutputs();
  model.subgraphs[0].outputs[1] = model.subgraphs[0].outputs[0];
  EXPECT_FALSE(IsPlain(model));
}

TEST(PlainModelTest, SaysWhereEachOutputComesFrom) {
  Model model = TwoOutputs();
  std::vector<TensorId>& outputs = model.subgraphs[0].outputs;
  outputs = {outputs[0], model.subgraphs[0].inputs[0], outputs[1], outputs[0]};
  std::vector<OutputSource> sources;
  const Model plain = MakePlain(model, &sources);
  EXPECT_TRUE(IsPlain(plain));
  ASSERT_EQ(sources.size(), 4u);
  EXPECT_EQ(sources[0].index, 0u);
  EXPECT_EQ(sources[1].kind, OutputSource::Kind::kModelInput);
  EXPECT_EQ(sources[2].index, 1u);
  EXPECT_EQ(sources[3].index, 0u);
}

}  // namespace
}  // namespace lathe
