#include "server/watch_stream.h"

#include <utility>

#include "server/job_conversion.h"
#include "server/names.h"
#include "server/rpc_status.h"

namespace lathe {
namespace {

constexpr int kBatch = 64;
constexpr std::chrono::seconds kHeartbeatInterval{20};

}  // namespace

grpc::ServerWriteReactor<v1::JobEvent>* WatchStream::Start(Edge& edge, JobStore& jobs, RpcName name,
                                                           const v1::WatchJobRequest& request) {
  auto stream = std::make_shared<WatchStream>(edge, jobs, name, request.after_sequence());
  stream->self_ = stream;
  if (!edge.streams().Add(stream)) {
    stream->End(DrainingError());
    return stream.get();
  }
  const auto key = ParseJobName(request.name());
  if (!key.ok()) {
    stream->End(key.status());
    return stream.get();
  }
  stream->key_ = *key;
  // Subscribed before the first read, so that nothing falls between.
  stream->subscription_ = jobs.Subscribe(*key, [weak = std::weak_ptr(stream)](const JobChange&) {
    if (const auto live = weak.lock()) live->OnChange();
  });
  stream->OnChange();
  return stream.get();
}

WatchStream::WatchStream(Edge& edge, JobStore& jobs, RpcName name, uint64_t after_sequence)
    : edge_(edge),
      jobs_(jobs),
      record_(edge.StartRpc(name)),
      read_sequence_(static_cast<int64_t>(after_sequence)),
      sent_sequence_(after_sequence),
      last_write_(edge.clock().Monotonic()) {}

void WatchStream::OnChange() {
  std::lock_guard lock(mutex_);
  changed_ = true;
  Advance();
}

void WatchStream::End(const absl::Status& status) {
  std::lock_guard lock(mutex_);
  if (!end_.has_value() || end_->ok()) end_ = status;
  Advance();
}

void WatchStream::Tick(std::chrono::steady_clock::time_point now) {
  std::lock_guard lock(mutex_);
  if (end_.has_value() || !events_.empty() || now - last_write_ < kHeartbeatInterval) return;
  v1::JobEvent heartbeat;
  heartbeat.set_sequence(sent_sequence_);
  SetTimestamp(edge_.clock().NowMicros(), heartbeat.mutable_time());
  heartbeat.mutable_heartbeat();
  events_.push_back(std::move(heartbeat));
  Advance();
}

void WatchStream::Advance() {
  if (finished_ || writing_) return;
  if (end_.has_value() && (events_.empty() || !end_->ok())) {
    finished_ = true;
    record_.Finish(*end_);
    Finish(ToGrpcStatus(*end_));
  } else if (!events_.empty()) {
    writing_ = true;
    StartWrite(&events_.front());
  } else if (changed_ && !reading_) {
    changed_ = false;
    reading_ = true;
    edge_.pool().Post([self = shared_from_this()] { self->Read(); });
  }
}

void WatchStream::Read() {
  std::deque<v1::JobEvent> events;
  bool last = false, more = false;
  const absl::Status status = ReadInto(events, last, more);
  std::lock_guard lock(mutex_);
  reading_ = false;
  for (v1::JobEvent& event : events) events_.push_back(std::move(event));
  if (more) changed_ = true;
  if (!end_.has_value() && !status.ok()) end_ = status;
  if (!end_.has_value() && last) end_ = absl::OkStatus();
  Advance();
}

absl::Status WatchStream::ReadInto(std::deque<v1::JobEvent>& events, bool& last, bool& more) {
  // The job after its events: if it has ended by then, its last event is among them or will be read next.
  if (!snapshot_read_) {
    LATHE_ASSIGN_OR_RETURN(const JobRecord record, jobs_.Get(key_));
    if (read_sequence_ < 0 || read_sequence_ > record.last_sequence) {
      return MakeViolationsError(
          {{"after_sequence", absl::StrFormat("is %u, but the job's last event is %d",
                                              static_cast<uint64_t>(read_sequence_), record.last_sequence)}});
    }
    v1::JobEvent& snapshot = events.emplace_back();
    snapshot.set_sequence(static_cast<uint64_t>(read_sequence_));
    SetTimestamp(edge_.clock().NowMicros(), snapshot.mutable_time());
    LATHE_RETURN_IF_ERROR(JobToProto(record, JobView::kFull, snapshot.mutable_snapshot()));
    snapshot_read_ = true;
    last = IsTerminal(record.state) && read_sequence_ == record.last_sequence;
    if (last) return absl::OkStatus();
  }
  LATHE_ASSIGN_OR_RETURN(const std::vector<JobEvent> stored, jobs_.Events(key_, read_sequence_, kBatch));
  for (const JobEvent& event : stored) {
    v1::JobEvent& proto = events.emplace_back();
    EventToProto(event, &proto);
    read_sequence_ = event.sequence;
    if (!proto.has_state_change() || !IsTerminal(event.state)) continue;
    LATHE_ASSIGN_OR_RETURN(const JobRecord record, jobs_.Get(key_));
    LATHE_RETURN_IF_ERROR(JobToProto(record, JobView::kFull, proto.mutable_state_change()->mutable_job()));
    last = true;
  }
  more = stored.size() == kBatch;
  return absl::OkStatus();
}

void WatchStream::OnWriteDone(bool ok) {
  std::lock_guard lock(mutex_);
  writing_ = false;
  last_write_ = edge_.clock().Monotonic();
  sent_sequence_ = events_.front().sequence();
  events_.pop_front();
  if (!ok) end_ = MakeError(absl::StatusCode::kCancelled, "CANCELLED", "the caller went away");
  Advance();
}

void WatchStream::OnCancel() { End(MakeError(absl::StatusCode::kCancelled, "CANCELLED", "the caller went away")); }

void WatchStream::OnDone() {
  if (subscription_ != 0) jobs_.Unsubscribe(subscription_);
  edge_.streams().Remove(this);
  const std::shared_ptr<WatchStream> self = std::move(self_);  // the last owner, unless Read or Tick still run
}

}  // namespace lathe
