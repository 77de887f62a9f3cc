#ifndef LATHE_SERVER_WATCH_STREAM_H_
#define LATHE_SERVER_WATCH_STREAM_H_

#include <grpcpp/support/server_callback.h>

#include <deque>
#include <memory>
#include <mutex>
#include <optional>

#include "lathe/v1/job_service.pb.h"
#include "server/edge.h"
#include "storage/job_store.h"

namespace lathe {

// One WatchJob call: a snapshot, then the job's events from the store, then OK after the last one. Events are read only
// as fast as the peer takes them, so a slow reader costs the server nothing but an open call. Lives until gRPC is done
// with it.
class WatchStream final : public grpc::ServerWriteReactor<v1::JobEvent>,
                          public OpenStream,
                          public std::enable_shared_from_this<WatchStream> {
 public:
  static grpc::ServerWriteReactor<v1::JobEvent>* Start(Edge& edge, JobStore& jobs, RpcName name,
                                                       const v1::WatchJobRequest& request);
  WatchStream(Edge& edge, JobStore& jobs, RpcName name, uint64_t after_sequence);

  void End(const absl::Status& status) override;
  void Tick(std::chrono::steady_clock::time_point now) override;

 private:
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

  // The store said that something changed.
  void OnChange();
  // Reads the next events, on the pool.
  void Read();
  absl::Status ReadInto(std::deque<v1::JobEvent>& events, bool& last, bool& more);
  // The next of: write, finish, read. REQUIRES: mutex_ is held. gRPC runs reactions on its own threads, so calling it
  // under the lock cannot come back here.
  void Advance();

  Edge& edge_;
  JobStore& jobs_;
  RpcRecord record_;
  std::shared_ptr<WatchStream> self_;  // until OnDone
  JobKey key_;
  uint64_t subscription_ = 0;

  // Used by Read only, of which one runs at a time.
  bool snapshot_read_ = false;
  int64_t read_sequence_;

  std::mutex mutex_;
  std::deque<v1::JobEvent> events_;  // read and not yet written; the front one may be in flight
  bool reading_ = false;
  bool changed_ = false;  // something new may be in the store
  bool writing_ = false;
  bool finished_ = false;
  std::optional<absl::Status> end_;  // set: finish when the queue is empty, at once for an error
  uint64_t sent_sequence_;
  std::chrono::steady_clock::time_point last_write_;
};

}  // namespace lathe

#endif  // LATHE_SERVER_WATCH_STREAM_H_
