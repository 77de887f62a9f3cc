#include "server/edge.h"

#include <memory>
#include <utility>

#include "common/log.h"
#include "server/rpc_status.h"

namespace lathe {

RpcRecord::RpcRecord(Metrics& metrics, const Clock& clock, RpcName name)
    : metrics_(metrics), clock_(clock), name_(name), start_(clock.Monotonic()) {
  metrics_.StartRpc();
}

void RpcRecord::Finish(const absl::Status& status) {
  const double seconds = std::chrono::duration<double>(clock_.Monotonic() - start_).count();
  metrics_.FinishRpc(name_.service, name_.method, CodeName(status), seconds);
  // What clients do wrong is not the server's error: level info.
  Log(status.ok() ? LogLevel::kDebug : LogLevel::kInfo, "rpc", std::string(status.message()),
      {{"service", name_.service},
       {"method", name_.method},
       {"code", CodeName(status)},
       {"reason", ReasonOf(status)},
       {"dur_ms", seconds * 1e3}});
}

grpc::ServerUnaryReactor* Edge::Unary(grpc::CallbackServerContext* context, RpcName name,
                                      std::function<absl::Status()> handle) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  pool_.Post([reactor, record = StartRpc(name), handle = std::move(handle)]() mutable {
    const absl::Status status = handle();
    record.Finish(status);
    reactor->Finish(ToGrpcStatus(status));
  });
  return reactor;
}

grpc::ServerUnaryReactor* Edge::Answer(grpc::CallbackServerContext* context, RpcName name, const absl::Status& status) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  StartRpc(name).Finish(status);
  reactor->Finish(ToGrpcStatus(status));
  return reactor;
}

void Edge::StartDrain() {
  draining_ = true;
  streams_.EndAll(DrainingError());
}

absl::Status Edge::CheckAccepting() const { return draining_ ? DrainingError() : absl::OkStatus(); }

}  // namespace lathe
