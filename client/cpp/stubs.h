#ifndef LATHE_CLIENT_CPP_STUBS_H_
#define LATHE_CLIENT_CPP_STUBS_H_

// What client.cc and transfer.cc share. Not for users: it pulls in gRPC.

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "client/cpp/client.h"
#include "lathe/v1/artifact_service.grpc.pb.h"
#include "lathe/v1/catalog_service.grpc.pb.h"
#include "lathe/v1/job_service.grpc.pb.h"
#include "lathe/v1/model_service.grpc.pb.h"

namespace lathe {

struct Client::Stubs {
  std::string address;
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<v1::JobService::Stub> jobs;
  std::unique_ptr<v1::ArtifactService::Stub> artifacts;
  std::unique_ptr<v1::ModelService::Stub> models;
  std::unique_ptr<v1::CatalogService::Stub> catalog;

  // The server's error with its details; an UNAVAILABLE without any comes from the channel and names the address.
  absl::Status Convert(const grpc::Status& status) const;

  // One unary call of `stub`; ends after 30 s.
  template <typename Stub, typename Request, typename Response>
  absl::StatusOr<Response> Call(Stub& stub,
                                grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                                const Request& request) const {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    Response response;
    const grpc::Status status = (stub.*method)(&context, request, &response);
    if (!status.ok()) return Convert(status);
    return response;
  }
};

// Waits between attempts while a server is away: 0.2 s, doubled up to 2 s, for a minute without any success.
class RetryPace {
 public:
  // True after a pause: try again. False: the minute is over, `cancel` was set, or `status` is not worth a retry: only
  // UNAVAILABLE and, because the other end of a lost upload may still hold it, ABORTED are.
  bool Retry(const absl::Status& status, const CancelToken& cancel);
  // Something arrived: the minute starts anew.
  void Succeeded();

 private:
  std::chrono::steady_clock::time_point deadline_ = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  std::chrono::milliseconds pause_{200};
};

// Breaks off a stream when a token is set; lives as long as the stream. The stream's call then ends with CANCELLED.
class StreamCanceller {
 public:
  StreamCanceller(grpc::ClientContext* context, const CancelToken& cancel);

 private:
  std::jthread thread_;
};

}  // namespace lathe

#endif  // LATHE_CLIENT_CPP_STUBS_H_
