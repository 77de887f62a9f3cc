#include "server/health_service.h"

#include <optional>
#include <utility>

#include "server/rpc_status.h"

namespace lathe {
namespace {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

constexpr RpcName Rpc(std::string_view method) { return {"Health", method}; }

}  // namespace

// One Watch call. Every member is guarded by the service's mutex. Deletes itself when gRPC is done with it.
class HealthServiceImpl::Watcher final : public grpc::ServerWriteReactor<HealthCheckResponse> {
 public:
  Watcher(HealthServiceImpl& health, std::string service)
      : health_(health), service_(std::move(service)), record_(health.edge_.StartRpc(Rpc("Watch"))) {}

  // Writes the status if the peer has another one, or finishes. REQUIRES: the mutex is held.
  void Advance() {
    if (writing_ || finished_) return;
    const auto now = health_.StatusOf(service_);
    if (gone_ || (health_.ended_ && sent_ == now)) {
      const absl::Status end =
          gone_ ? MakeError(absl::StatusCode::kCancelled, "CANCELLED", "the caller went away") : DrainingError();
      finished_ = true;
      record_.Finish(end);
      Finish(ToGrpcStatus(end));
    } else if (sent_ != now) {
      writing_ = true;
      sent_ = now;
      response_.set_status(now);
      StartWrite(&response_);
    }
  }

 private:
  void OnWriteDone(bool ok) override {
    std::lock_guard lock(health_.mutex_);
    writing_ = false;
    gone_ = gone_ || !ok;
    Advance();
  }
  void OnCancel() override {
    std::lock_guard lock(health_.mutex_);
    gone_ = true;
    Advance();
  }
  void OnDone() override {
    {
      std::lock_guard lock(health_.mutex_);
      health_.watchers_.erase(this);
    }
    delete this;
  }

  HealthServiceImpl& health_;
  const std::string service_;
  RpcRecord record_;
  HealthCheckResponse response_;
  std::optional<HealthCheckResponse::ServingStatus> sent_;
  bool writing_ = false, gone_ = false, finished_ = false;
};

HealthServiceImpl::HealthServiceImpl(Edge& edge, std::vector<std::string> services)
    : edge_(edge), services_(services.begin(), services.end()) {}

HealthCheckResponse::ServingStatus HealthServiceImpl::StatusOf(const std::string& service) const {
  if (!service.empty() && services_.count(service) == 0) return HealthCheckResponse::SERVICE_UNKNOWN;
  return serving_ ? HealthCheckResponse::SERVING : HealthCheckResponse::NOT_SERVING;
}

grpc::ServerUnaryReactor* HealthServiceImpl::Check(grpc::CallbackServerContext* context,
                                                   const HealthCheckRequest* request, HealthCheckResponse* response) {
  HealthCheckResponse::ServingStatus status;
  {
    std::lock_guard lock(mutex_);
    status = StatusOf(request->service());
  }
  response->set_status(status);
  if (status != HealthCheckResponse::SERVICE_UNKNOWN) return edge_.Answer(context, Rpc("Check"), absl::OkStatus());
  return edge_.Answer(context, Rpc("Check"),
                      MakeError(absl::StatusCode::kNotFound, "SERVICE_UNKNOWN",
                                absl::StrFormat("no service '%s' here", request->service().substr(0, 120))));
}

grpc::ServerWriteReactor<HealthCheckResponse>* HealthServiceImpl::Watch(grpc::CallbackServerContext* /*context*/,
                                                                        const HealthCheckRequest* request) {
  std::lock_guard lock(mutex_);
  auto* watcher = new Watcher(*this, request->service());
  watchers_.insert(watcher);
  watcher->Advance();
  return watcher;
}

void HealthServiceImpl::SetServing(bool serving) {
  std::lock_guard lock(mutex_);
  serving_ = serving;
  for (Watcher* watcher : watchers_) watcher->Advance();
}

void HealthServiceImpl::EndWatches() {
  std::lock_guard lock(mutex_);
  ended_ = true;
  for (Watcher* watcher : watchers_) watcher->Advance();
}

}  // namespace lathe
