#include "wire/size_report.h"

#include <gtest/gtest.h>

namespace lathe {
namespace {

TEST(SizeReportToProtoTest, FillsSharesAndWhatIsLeft) {
  SizeReport report;
  SizeOfModel& size = report.output.emplace();
  size.bytes = 1000;
  size.weights_bytes = 700;
  size.metadata_bytes = 100;
  size.weights = 200;
  size.zeros = 50;
  size.by_operator.push_back({"CONV_2D", 700, 200, 1, 50});
  size.tensors.push_back({"w", "CONV_2D", "float32", {2, 100}, 700, 200, 50, std::nullopt, std::nullopt});
  const v1::SizeReport proto = SizeReportToProto(report);
  EXPECT_FALSE(proto.has_input());
  EXPECT_EQ(proto.output().graph_bytes(), 200u);
  EXPECT_EQ(proto.output().zero_share(), 0.25);
  EXPECT_EQ(proto.output().by_operator(0).zero_share(), 0.25);
  EXPECT_EQ(proto.output().tensors(0).kind(), "CONV_2D");
  EXPECT_FALSE(proto.output().tensors(0).has_distinct_values());
  EXPECT_FALSE(proto.output().has_gzip_bytes());
  EXPECT_FALSE(proto.output().has_gzip_estimated());
}

TEST(SizeReportToProtoTest, DividesByNothingInEmptyModels) {
  EXPECT_EQ(SizeOfModelToProto({}).zero_share(), 0);
  EXPECT_EQ(SizeOfModelToProto({}).graph_bytes(), 0u);
}

}  // namespace
}  // namespace lathe
