#ifndef LATHE_STORAGE_CHANGE_FEED_H_
#define LATHE_STORAGE_CHANGE_FEED_H_

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>

#include "storage/job_store.h"

namespace lathe {

// Who wants to know of changes, and the calls to them. Subscribers follow the contract of JobStore::Subscribe.
// Thread-safe.
class ChangeFeed {
 public:
  uint64_t Subscribe(const JobKey& key, std::function<void(const JobChange&)> callback);
  uint64_t SubscribeQueue(std::function<void()> callback);
  uint64_t SubscribeEnds(std::function<void(const JobEnd&)> callback);
  void Unsubscribe(uint64_t subscription);
  // Tells the subscribers of change.key; those of the queue too when the job is QUEUED now.
  void Publish(const JobChange& change);
  void PublishEnd(const JobEnd& end);

 private:
  std::mutex mutex_;  // held during calls: after Unsubscribe no call is under way
  uint64_t last_ = 0;
  std::map<JobKey, std::map<uint64_t, std::function<void(const JobChange&)>>> jobs_;
  std::map<uint64_t, JobKey> keys_;
  std::map<uint64_t, std::function<void()>> queue_;
  std::map<uint64_t, std::function<void(const JobEnd&)>> ends_;
};

}  // namespace lathe

#endif  // LATHE_STORAGE_CHANGE_FEED_H_
