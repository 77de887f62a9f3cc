#include "server/rpc_status.h"

#include "tests/server/server_fixture.h"

namespace lathe {
namespace {

TEST(RpcStatusTest, CarriesReasonAndMetadata) {
  const RpcError error = Decode(ToGrpcStatus(
      WithMetadata(MakeError(absl::StatusCode::kOutOfRange, "OFFSET_MISMATCH", "no"), "committed_size", "42")));
  EXPECT_EQ(error.code, grpc::StatusCode::OUT_OF_RANGE);
  EXPECT_EQ(error.reason, "OFFSET_MISMATCH");
  EXPECT_EQ(error.metadata.at("committed_size"), "42");
  EXPECT_FALSE(error.has_retry_info);
}

TEST(RpcStatusTest, FitsIntoTrailers) {
  std::vector<FieldViolation> violations;
  for (int i = 0; i < 1000; ++i) violations.push_back({std::string(300, 'f'), std::string(3000, '\xff')});
  const grpc::Status status = ToGrpcStatus(MakeViolationsError(violations));
  EXPECT_LT(status.error_details().size() + status.error_message().size(), 8192U);
  EXPECT_GE(Decode(status).violated_fields.size(), 5U);
  EXPECT_LE(Decode(status).violated_fields.size(), 20U);
}

TEST(RpcStatusTest, SaysWhenToTryAgain) {
  EXPECT_TRUE(Decode(ToGrpcStatus(DrainingError())).has_retry_info);
  EXPECT_TRUE(Decode(ToGrpcStatus(MakeError(absl::StatusCode::kResourceExhausted, "QUEUE_FULL", ""))).has_retry_info);
  EXPECT_FALSE(Decode(ToGrpcStatus(MakeError(absl::StatusCode::kResourceExhausted, "DISK_LOW", ""))).has_retry_info);
}

TEST(RpcStatusTest, ErrorsWithoutAReasonGetTheirCode) {
  EXPECT_EQ(Decode(ToGrpcStatus(absl::InternalError("oops"))).reason, "INTERNAL");
}

}  // namespace
}  // namespace lathe
