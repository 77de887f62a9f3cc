#include "optimizer/passes/registry.h"

#include <gtest/gtest.h>

#include "optimizer/recipe/validate.h"

namespace lathe {
namespace {

TEST(PassRegistryTest, AgreesWithTheTableThatUsersSee) {
  ASSERT_EQ(PassRegistry().size(), Passes().size());
  for (size_t i = 0; i < Passes().size(); ++i) {
    EXPECT_EQ(PassRegistry()[i].name, Passes()[i].name);
    EXPECT_EQ(PassRegistry()[i].make(Recipe())->name(), Passes()[i].name);
    EXPECT_FALSE(Passes()[i].description.empty());
  }
}

TEST(PassRegistryTest, UnknownNameIsAnError) {
  EXPECT_EQ(ReasonOf(MakePass("no-such-pass", Recipe()).status()), "PASS_UNKNOWN");
}

}  // namespace
}  // namespace lathe
