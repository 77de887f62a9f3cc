#ifndef LATHE_SERVER_EDGE_H_
#define LATHE_SERVER_EDGE_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <functional>
#include <string_view>

#include "common/clock.h"
#include "common/metrics.h"
#include "common/status.h"
#include "server/blocking_pool.h"
#include "server/open_streams.h"

namespace lathe {

// A method, as metrics and logs name it.
struct RpcName {
  std::string_view service, method;
};

// Counts and times one call.
class RpcRecord {
 public:
  RpcRecord(Metrics& metrics, const Clock& clock, RpcName name);
  // REQUIRES: called once.
  void Finish(const absl::Status& status);

 private:
  Metrics& metrics_;
  const Clock& clock_;
  RpcName name_;
  std::chrono::steady_clock::time_point start_;
};

// What all services share: the threads that handlers run on, the open streams, whether the server drains. Thread-safe.
class Edge {
 public:
  Edge(Metrics& metrics, const Clock& clock, int threads)
      : metrics_(metrics), clock_(clock), streams_(clock), pool_(threads) {}

  // Runs `handle` on the pool and answers the call with its status. `handle` may use request and response until it
  // returns; it fills the response only if it returns OK.
  grpc::ServerUnaryReactor* Unary(grpc::CallbackServerContext* context, RpcName name,
                                  std::function<absl::Status()> handle);
  // Answers the call at once.
  grpc::ServerUnaryReactor* Answer(grpc::CallbackServerContext* context, RpcName name, const absl::Status& status);

  RpcRecord StartRpc(RpcName name) { return RpcRecord(metrics_, clock_, name); }

  // From now on new work is refused and streams end with UNAVAILABLE DRAINING; reads go on.
  void StartDrain();
  // OK, or UNAVAILABLE DRAINING.
  absl::Status CheckAccepting() const;

  Metrics& metrics() { return metrics_; }
  const Clock& clock() const { return clock_; }
  OpenStreams& streams() { return streams_; }
  BlockingPool& pool() { return pool_; }

 private:
  Metrics& metrics_;
  const Clock& clock_;
  std::atomic<bool> draining_ = false;
  OpenStreams streams_;
  BlockingPool pool_;  // last: its threads end before the rest does
};

}  // namespace lathe

#endif  // LATHE_SERVER_EDGE_H_
