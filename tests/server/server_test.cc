#include "server/server.h"

#include <grpcpp/generic/generic_stub.h>

#include "grpc/health/v1/health.grpc.pb.h"
#include "tests/server/server_fixture.h"

namespace lathe {
namespace {

using grpc::health::v1::Health;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using ::testing::HasSubstr;

TEST(CheckListenAddressTest, TakesLoopbackOnly) {
  for (const char* good : {"127.0.0.1:0", "127.9.9.9:7600", "localhost:1", "[::1]:7600"}) {
    EXPECT_TRUE(CheckListenAddress(good).ok()) << good;
  }
  for (const char* bad : {"0.0.0.0:7600", "[::]:7600", "10.0.0.1:1", "127.0.0.1.evil.com:1", "example.com:7600",
                          "127.0.0.1", ":7600", "127.0.0.1:70000", "127.0.0.1:x", ""}) {
    EXPECT_EQ(ReasonOf(CheckListenAddress(bad)), "BAD_ADDRESS") << bad;
  }
}

TEST_F(ServerTest, RefusesATakenPort) {
  ServerOptions options;
  options.listen = "127.0.0.1:0";
  Server first(options, storage_->jobs(), storage_->artifacts(), *metrics_, clock_);
  const auto address = first.Start();
  ASSERT_TRUE(address.ok());
  options.listen = *address;
  Server second(options, storage_->jobs(), storage_->artifacts(), *metrics_, clock_);
  EXPECT_EQ(ReasonOf(second.Start().status()), "LISTEN_FAILED");
}

TEST_F(ServerTest, AnswersHealthForEachService) {
  auto health = Health::NewStub(channel_);
  for (const char* service :
       {"", "lathe.v1.JobService", "lathe.v1.ArtifactService", "lathe.v1.ModelService", "lathe.v1.CatalogService"}) {
    grpc::ClientContext context;
    HealthCheckRequest request;
    request.set_service(service);
    HealthCheckResponse response;
    ASSERT_TRUE(health->Check(&context, request, &response).ok()) << service;
    EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);
  }
  grpc::ClientContext context;
  HealthCheckRequest request;
  request.set_service("nobody");
  HealthCheckResponse response;
  EXPECT_EQ(Decode(health->Check(&context, request, &response)).code, grpc::StatusCode::NOT_FOUND);
}

TEST_F(ServerTest, TellsWhatItCanDo) {
  grpc::ClientContext passes_context, capabilities_context;
  v1::ListPassesResponse passes;
  ASSERT_TRUE(catalog_->ListPasses(&passes_context, {}, &passes).ok());
  EXPECT_GT(passes.passes_size(), 0);
  EXPECT_GT(passes.presets_size(), 3);
  v1::Capabilities capabilities;
  ASSERT_TRUE(catalog_->GetCapabilities(&capabilities_context, {}, &capabilities).ok());
  EXPECT_NE(capabilities.build_id(), "");
  EXPECT_EQ(capabilities.limits().model_bytes_max(), uint64_t{2} << 30);
}

TEST_F(ServerTest, CountsCalls) {
  SubmitOne();
  const std::string text = metrics_->Text();
  EXPECT_THAT(text, HasSubstr("lathe_rpc_requests_total"));
  EXPECT_THAT(text, HasSubstr("SubmitJob"));
  EXPECT_THAT(text, HasSubstr("lathe_jobs_submitted_total"));
  EXPECT_THAT(text, HasSubstr("lathe_upload_bytes_total 7"));
}

// A call to reflection, by its name alone.
grpc::StatusCode AskReflection(const std::string& address) {
  grpc::GenericStub stub(grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
  grpc::CompletionQueue queue;
  auto call = stub.PrepareCall(&context, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", &queue);
  const auto wait = [&queue] {
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
  };
  call->StartCall(nullptr);
  wait();
  call->WritesDone(nullptr);
  wait();
  grpc::Status status;
  call->Finish(&status, nullptr);
  wait();
  return status.error_code();
}

TEST_F(ServerTest, ServesReflectionUnlessTurnedOff) {
  for (const bool reflection : {true, false}) {
    ServerOptions options;
    options.listen = "127.0.0.1:0";
    options.reflection = reflection;
    Server server(options, storage_->jobs(), storage_->artifacts(), *metrics_, clock_);
    const auto address = server.Start();
    ASSERT_TRUE(address.ok());
    EXPECT_EQ(AskReflection(*address), reflection ? grpc::StatusCode::OK : grpc::StatusCode::UNIMPLEMENTED);
  }
}

TEST_F(ServerTest, RefusesMessagesAboveTheLimit) {
  v1::SubmitJobRequest request;
  request.set_request_id(std::string(5 << 20, 'x'));
  grpc::ClientContext context;
  v1::Job job;
  EXPECT_EQ(jobs_->SubmitJob(&context, request, &job).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

}  // namespace
}  // namespace lathe
