#include "wire/profile_report.h"

#include <gtest/gtest.h>

namespace lathe {
namespace {

TEST(ProfileReportToProtoTest, KeepsWhatIsNotKnownAbsent) {
  ProfileReport report;
  ModelProfileReport& profile = report.output.emplace();
  profile.runs = 3;
  profile.operators = 4;
  profile.delegated_operators = 3;
  profile.kernels.push_back({"Softmax (NC, F32)", true, 0.5, std::nullopt, std::nullopt});
  profile.kernels.push_back({"CONV_2D", false, 0.25, 0, 7});
  const v1::ProfileReport proto = ProfileReportToProto(report);
  EXPECT_FALSE(proto.has_input());
  EXPECT_EQ(proto.output().delegated_share(), 0.75);
  EXPECT_FALSE(proto.output().kernels(0).has_index());
  EXPECT_TRUE(proto.output().kernels(0).delegated());
  EXPECT_EQ(proto.output().kernels(1).index(), 7u);
  EXPECT_EQ(proto.output().kernels(1).ms(), 0.25);
}

}  // namespace
}  // namespace lathe
