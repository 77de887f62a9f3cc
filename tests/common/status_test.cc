#include "common/status.h"

#include <gtest/gtest.h>

#include <memory>

namespace lathe {
namespace {

absl::StatusOr<int> Half(int value) {
  if (value % 2 != 0) return MakeError(absl::StatusCode::kInvalidArgument, "ODD", "is odd");
  return value / 2;
}

absl::Status AddHalves(int a, int b, int& sum) {
  LATHE_ASSIGN_OR_RETURN(const int half_a, Half(a));
  LATHE_ASSIGN_OR_RETURN(const int half_b, Half(b));
  // Nested: the macros stand in a lambda that is part of another one's argument.
  LATHE_RETURN_IF_ERROR([&]() -> absl::Status {
    LATHE_RETURN_IF_ERROR(Half(sum).status());
    return absl::OkStatus();
  }());
  sum = half_a + half_b;
  return absl::OkStatus();
}

TEST(StatusTest, CarriesAReason) {
  const absl::Status status = MakeError(absl::StatusCode::kNotFound, "JOB_NOT_FOUND", "no job");
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReasonOf(status), "JOB_NOT_FOUND");
  EXPECT_EQ(ReasonOf(absl::DataLossError("x")), "DATA_LOSS");
  EXPECT_EQ(ReasonOf(absl::OkStatus()), "");
}

TEST(StatusTest, CarriesViolationsThroughAnnotations) {
  const std::vector<FieldViolation> violations{{"spec.a", "is bad"}, {"spec.b", "is worse; really"}};
  const absl::Status status = Annotate(MakeViolationsError(violations), "recipe.yaml");
  EXPECT_EQ(ViolationsOf(status), violations);
  EXPECT_EQ(ReasonOf(status), "BAD_REQUEST");
  EXPECT_EQ(status.message(), "recipe.yaml: spec.a: is bad; spec.b: is worse; really");
  EXPECT_TRUE(ViolationsOf(absl::InternalError("x")).empty());
  EXPECT_TRUE(Annotate(absl::OkStatus(), "x").ok());
}

TEST(StatusTest, MacrosReturnTheFirstError) {
  int sum = 0;
  EXPECT_TRUE(AddHalves(4, 6, sum).ok());
  EXPECT_EQ(sum, 5);
  EXPECT_EQ(ReasonOf(AddHalves(4, 5, sum)), "ODD");
  EXPECT_EQ(ReasonOf(AddHalves(4, 6, sum)), "ODD");  // sum is 5 now
}

}  // namespace
}  // namespace lathe
