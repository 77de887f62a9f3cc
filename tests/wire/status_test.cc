#include "wire/status.h"

#include <gmock/gmock.h>

#include "google/rpc/error_details.pb.h"

namespace lathe {
namespace {

using ::testing::SizeIs;

const absl::Status& Violations() {
  static const absl::Status status =
      Annotate(MakeViolationsError({{"recipe.preset", "unknown"}, {"recipe.prune", "not implemented"}}), "submit");
  return status;
}

void ExpectEqual(const absl::Status& actual, const absl::Status& expected) {
  EXPECT_EQ(actual.code(), expected.code());
  EXPECT_EQ(actual.message(), expected.message());
  EXPECT_EQ(ReasonOf(actual), ReasonOf(expected));
  EXPECT_EQ(ViolationsOf(actual), ViolationsOf(expected));
}

TEST(StatusTest, SurvivesTheExecutorsAnswer) {
  ExpectEqual(StatusFromExecutorError(ExecutorErrorFromStatus(Violations())), Violations());
  const absl::Status corrupt = MakeError(absl::StatusCode::kInvalidArgument, "MODEL_CORRUPT", "offset 4");
  ExpectEqual(StatusFromExecutorError(ExecutorErrorFromStatus(corrupt)), corrupt);
}

TEST(StatusTest, IsNeverOkFromAnExecutorsError) {
  internal::v1::ExecutorResult::Error error;
  EXPECT_EQ(StatusFromExecutorError(error).code(), absl::StatusCode::kUnknown);
  error.set_code(4711);
  EXPECT_EQ(StatusFromExecutorError(error).code(), absl::StatusCode::kUnknown);
}

TEST(StatusTest, SurvivesRpc) {
  ExpectEqual(StatusFromRpc(RpcFromStatus(Violations(), ErrorRoom::kTrailer)), Violations());
  EXPECT_TRUE(StatusFromRpc(RpcFromStatus(absl::OkStatus(), ErrorRoom::kTrailer)).ok());
}

TEST(StatusTest, CarriesOneErrorInfoWithMetadata) {
  const auto rpc = RpcFromStatus(MakeError(absl::StatusCode::kOutOfRange, "OFFSET_MISMATCH", "offset 7"),
                                 ErrorRoom::kTrailer, {{"committed_size", "5"}});
  ASSERT_THAT(rpc.details(), SizeIs(1));
  google::rpc::ErrorInfo info;
  ASSERT_TRUE(rpc.details(0).UnpackTo(&info));
  EXPECT_EQ(info.reason(), "OFFSET_MISMATCH");
  EXPECT_EQ(info.domain(), "lathe");
  EXPECT_EQ(info.metadata().at("committed_size"), "5");
}

TEST(StatusTest, TellsWhenToTryAgain) {
  const auto rpc = RpcFromStatus(MakeError(absl::StatusCode::kUnavailable, "DRAINING", "ending"), ErrorRoom::kTrailer);
  google::rpc::RetryInfo retry;
  ASSERT_THAT(rpc.details(), SizeIs(2));
  ASSERT_TRUE(rpc.details(1).UnpackTo(&retry));
  EXPECT_GT(retry.retry_delay().seconds(), 0);
}

TEST(StatusTest, FitsATrailerWhateverTheError) {
  std::vector<FieldViolation> violations(1000, {std::string(5000, 'f'), std::string(5000, 'd')});
  EXPECT_LT(RpcFromStatus(MakeViolationsError(violations), ErrorRoom::kTrailer).ByteSizeLong(), 8000);
  EXPECT_THAT(ViolationsOf(StatusFromRpc(RpcFromStatus(MakeViolationsError(violations), ErrorRoom::kTrailer))),
              SizeIs(20));
}

TEST(StatusTest, CutsBetweenCharacters) {
  std::string message = "x";
  while (message.size() < 4000) message += "\u00e4";
  const auto rpc = RpcFromStatus(absl::InternalError(message), ErrorRoom::kTrailer);
  EXPECT_EQ(rpc.message().size() % 2, 0) << "one byte, whole two-byte characters and three dots";
  EXPECT_EQ(RpcFromStatus(absl::InternalError(message), ErrorRoom::kJob).message(), message);
}

}  // namespace
}  // namespace lathe
