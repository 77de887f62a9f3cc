#include "optimizer/passes/pass.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "optimizer/model/graph_editor.h"
#include "tests/support/model_builder.h"

namespace lathe {
namespace {

Model OneLayer() {
  ModelBuilder builder;
  const TensorId input = builder.Input("x", {1, 8});
  builder.Output(builder.FullyConnected(input, 4, 1));
  return builder.Build();
}

// Points an operator at a tensor that does not exist.
class BreakingPass : public Pass {
 public:
  std::string_view name() const override { return "test-break"; }
  absl::StatusOr<Change> Edit(Model& model, PassContext&) const override {
    model.subgraphs[0].ops[0].inputs[0] = TensorId(999);
    Change change;
    change.count = 1;
    return change;
  }
};

class RangesPass : public Pass {
 public:
  std::string_view name() const override { return "test-ranges"; }
  bool NeedsRanges() const override { return true; }
  absl::StatusOr<Change> Edit(Model&, PassContext&) const override { return Change{}; }
};

TEST(RunPassTest, NamesThePassThatBrokeTheModel) {
  Model model = OneLayer();
  PassContext context;
  const absl::Status status = RunPass(BreakingPass(), model, context).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(ReasonOf(status), "PASS_BROKE_MODEL");
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("test-break"));
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("999"));
}

TEST(RunPassTest, StopsWhenCancelled) {
  Model model = OneLayer();
  PassContext context;
  context.cancel.Cancel();
  EXPECT_EQ(RunPass(BreakingPass(), model, context).status().code(), absl::StatusCode::kCancelled);
}

TEST(RunPassTest, RefusesToGuessRanges) {
  Model model = OneLayer();
  PassContext context;
  EXPECT_EQ(ReasonOf(RunPass(RangesPass(), model, context).status()), "RANGES_MISSING");
}

}  // namespace
}  // namespace lathe
