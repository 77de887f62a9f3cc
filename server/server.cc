#include "server/server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/impl/server_builder_option.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "server/artifact_service.h"
#include "server/catalog_service.h"
#include "server/edge.h"
#include "server/health_service.h"
#include "server/job_service.h"
#include "server/limits.h"
#include "server/model_service.h"

namespace lathe {
namespace {

struct HostPort {
  std::string host;
  int port = 0;
};

absl::StatusOr<HostPort> SplitHostPort(const std::string& address) {
  const size_t colon = address.rfind(':');
  HostPort split;
  if (colon == std::string::npos || colon == 0 || !absl::SimpleAtoi(address.substr(colon + 1), &split.port) ||
      split.port < 0 || split.port > 65535) {
    return MakeError(absl::StatusCode::kInvalidArgument, "BAD_ADDRESS",
                     absl::StrFormat("'%s' is not HOST:PORT, e.g. 127.0.0.1:7600", address));
  }
  split.host = address.substr(0, colon);
  return split;
}

bool IsLoopback(const std::string& host) {
  return host == "localhost" || host == "[::1]" ||
         (host.rfind("127.", 0) == 0 && host.find_first_not_of("0123456789.") == std::string::npos);
}

// Enough threads that two inspections (2 s each) and some slow disk writes leave room for quick calls.
int PoolThreads() { return std::max(8, static_cast<int>(std::thread::hardware_concurrency()) * 2); }

// Takes the reflection service out of a builder again.
class WithoutReflection final : public grpc::ServerBuilderOption {
  void UpdateArguments(grpc::ChannelArguments* /*arguments*/) override {}
  void UpdatePlugins(std::vector<std::unique_ptr<grpc::ServerBuilderPlugin>>* plugins) override {
    std::erase_if(*plugins, [](const auto& plugin) { return plugin->name() == "proto_server_reflection"; });
  }
};

void SetLimits(grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(limits::kMessageBytesMax);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, limits::kMetadataBytesMax);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, 256);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 60'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 30'000);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, 10'000);
  // With it a second server on the port would take a part of the connections instead of failing to start.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.SetResourceQuota(grpc::ResourceQuota("lathe").Resize(size_t{512} << 20));
}

}  // namespace

absl::Status CheckListenAddress(const std::string& address) {
  LATHE_ASSIGN_OR_RETURN(const HostPort split, SplitHostPort(address));
  if (IsLoopback(split.host)) return absl::OkStatus();
  return MakeError(absl::StatusCode::kInvalidArgument, "BAD_ADDRESS",
                   absl::StrFormat("refusing to listen on '%s': this version has no TLS and no authentication, so only "
                                   "loopback addresses (127.0.0.1, [::1], localhost) are served; put a proxy with TLS "
                                   "in front of it to serve a network",
                                   address));
}

struct Server::Parts {
  Parts(ServerOptions o, JobStore& job_store, Artifacts& artifact_store, Metrics& metrics, const Clock& clock)
      : options(std::move(o)),
        edge(metrics, clock, PoolThreads()),
        jobs(edge, job_store, artifact_store),
        artifacts(edge, artifact_store),
        models(
            {.executor_path = options.executor_path, .jobs_dir = options.jobs_dir, .timeout = options.inspect_timeout},
            edge, artifact_store),
        catalog(edge),
        health(edge, {v1::JobService::service_full_name(), v1::ArtifactService::service_full_name(),
                      v1::ModelService::service_full_name(), v1::CatalogService::service_full_name()}) {}

  const ServerOptions options;
  Edge edge;
  JobServiceImpl jobs;
  ArtifactServiceImpl artifacts;
  ModelServiceImpl models;
  CatalogServiceImpl catalog;
  HealthServiceImpl health;
  std::unique_ptr<grpc::Server> server;
};

Server::Server(ServerOptions options, JobStore& jobs, Artifacts& artifacts, Metrics& metrics, const Clock& clock)
    : parts_(std::make_unique<Parts>(std::move(options), jobs, artifacts, metrics, clock)) {}

Server::~Server() { Shutdown(std::chrono::milliseconds(0)); }

absl::StatusOr<std::string> Server::Start() {
  LATHE_RETURN_IF_ERROR(CheckListenAddress(parts_->options.listen));
  LATHE_ASSIGN_OR_RETURN(const HostPort split, SplitHostPort(parts_->options.listen));
  // Linking it gives reflection (Debian's is v1alpha) to every builder of the process; the call only says so.
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  if (!parts_->options.reflection) builder.SetOption(std::make_unique<WithoutReflection>());
  SetLimits(builder);
  int port = 0;
  builder.AddListeningPort(parts_->options.listen, grpc::InsecureServerCredentials(), &port);
  for (grpc::Service* service : std::initializer_list<grpc::Service*>{
           &parts_->jobs, &parts_->artifacts, &parts_->models, &parts_->catalog, &parts_->health}) {
    builder.RegisterService(service);
  }
  parts_->server = builder.BuildAndStart();
  if (parts_->server == nullptr || port == 0) {
    parts_->server = nullptr;
    return MakeError(absl::StatusCode::kUnavailable, "LISTEN_FAILED",
                     absl::StrFormat("cannot listen on '%s'; is the port taken?", parts_->options.listen));
  }
  return absl::StrFormat("%s:%d", split.host, port);
}

void Server::StartDrain() {
  parts_->health.SetServing(false);
  parts_->edge.StartDrain();
}

void Server::Shutdown(std::chrono::milliseconds grace) {
  if (parts_->server == nullptr) return;
  StartDrain();
  parts_->health.EndWatches();
  if (grace.count() == 0) parts_->models.CancelAll();
  parts_->server->Shutdown(std::chrono::system_clock::now() + grace);
  parts_->server = nullptr;
}

}  // namespace lathe
