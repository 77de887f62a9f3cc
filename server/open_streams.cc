#include "server/open_streams.h"

namespace lathe {

OpenStreams::OpenStreams(const Clock& clock) : clock_(clock), ticker_([this] { TickUntilStopped(); }) {}

OpenStreams::~OpenStreams() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  ticker_.join();
}

bool OpenStreams::Add(const std::shared_ptr<OpenStream>& stream) {
  std::lock_guard lock(mutex_);
  if (closed_) return false;
  streams_.emplace(stream.get(), stream);
  return true;
}

void OpenStreams::Remove(const OpenStream* stream) {
  std::shared_ptr<OpenStream> last;  // destroyed after the lock is released
  std::lock_guard lock(mutex_);
  if (const auto found = streams_.find(stream); found != streams_.end()) {
    last = std::move(found->second);
    streams_.erase(found);
  }
}

void OpenStreams::EndAll(const absl::Status& status) {
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
  }
  for (const auto& [key, stream] : Copy()) stream->End(status);
}

std::unordered_map<const OpenStream*, std::shared_ptr<OpenStream>> OpenStreams::Copy() {
  std::lock_guard lock(mutex_);
  return streams_;
}

void OpenStreams::TickUntilStopped() {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, std::chrono::seconds(1), [this] { return stopping_; })) {
    auto streams = streams_;
    lock.unlock();
    for (const auto& [key, stream] : streams) stream->Tick(clock_.Monotonic());
    streams.clear();
    lock.lock();
  }
}

}  // namespace lathe
