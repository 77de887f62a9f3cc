#ifndef LATHE_SERVER_HEALTH_SERVICE_H_
#define LATHE_SERVER_HEALTH_SERVICE_H_

#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "grpc/health/v1/health.grpc.pb.h"
#include "server/edge.h"

namespace lathe {

// The standard health service, for "" and each service by its full name. Answers on gRPC's own threads and never waits:
// health must not queue behind work. gRPC's built-in one is not used because its descriptor is invisible to reflection
// clients. Thread-safe.
class HealthServiceImpl final : public grpc::health::v1::Health::CallbackService {
 public:
  // `services`: full names.
  HealthServiceImpl(Edge& edge, std::vector<std::string> services);
  grpc::ServerUnaryReactor* Check(grpc::CallbackServerContext* context,
                                  const grpc::health::v1::HealthCheckRequest* request,
                                  grpc::health::v1::HealthCheckResponse* response) override;
  grpc::ServerWriteReactor<grpc::health::v1::HealthCheckResponse>* Watch(
      grpc::CallbackServerContext* context, const grpc::health::v1::HealthCheckRequest* request) override;

  // All services at once; tells the watchers. SERVING at first.
  void SetServing(bool serving);
  // Ends the watches with UNAVAILABLE DRAINING.
  void EndWatches();

 private:
  class Watcher;
  // What a watch or check of `service` answers now. REQUIRES: mutex_ is held.
  grpc::health::v1::HealthCheckResponse::ServingStatus StatusOf(const std::string& service) const;

  Edge& edge_;
  const std::set<std::string> services_;
  std::mutex mutex_;
  bool serving_ = true;
  bool ended_ = false;
  std::set<Watcher*> watchers_;
};

}  // namespace lathe

#endif  // LATHE_SERVER_HEALTH_SERVICE_H_
