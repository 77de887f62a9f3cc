#include "storage/change_feed.h"

#include <utility>

namespace lathe {

uint64_t ChangeFeed::Subscribe(const JobKey& key, std::function<void(const JobChange&)> callback) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const uint64_t id = ++last_;
  jobs_[key].emplace(id, std::move(callback));
  keys_.emplace(id, key);
  return id;
}

uint64_t ChangeFeed::SubscribeQueue(std::function<void()> callback) {
  const std::lock_guard<std::mutex> lock(mutex_);
  queue_.emplace(++last_, std::move(callback));
  return last_;
}

uint64_t ChangeFeed::SubscribeEnds(std::function<void(const JobEnd&)> callback) {
  const std::lock_guard<std::mutex> lock(mutex_);
  ends_.emplace(++last_, std::move(callback));
  return last_;
}

void ChangeFeed::Unsubscribe(uint64_t subscription) {
  const std::lock_guard<std::mutex> lock(mutex_);
  queue_.erase(subscription);
  ends_.erase(subscription);
  const auto key = keys_.find(subscription);
  if (key == keys_.end()) return;
  const auto job = jobs_.find(key->second);
  job->second.erase(subscription);
  if (job->second.empty()) jobs_.erase(job);
  keys_.erase(key);
}

void ChangeFeed::Publish(const JobChange& change) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (const auto job = jobs_.find(change.key); job != jobs_.end()) {
    for (const auto& [id, callback] : job->second) callback(change);
  }
  if (change.state != JobState::kQueued || change.deleted) return;
  for (const auto& [id, callback] : queue_) callback();
}

void ChangeFeed::PublishEnd(const JobEnd& end) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const auto& [id, callback] : ends_) callback(end);
}

}  // namespace lathe
