#ifndef LATHE_SERVER_BLOCKING_POOL_H_
#define LATHE_SERVER_BLOCKING_POOL_H_

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace lathe {

// Threads for work that may wait for the disk or a process. gRPC runs callbacks on as few as two threads; a handler
// that waited there would stall every connection. Work starts in the order it was posted. Thread-safe.
class BlockingPool {
 public:
  // REQUIRES: threads >= 1.
  explicit BlockingPool(int threads);
  // Runs what was posted to its end, also what that posts, then joins.
  ~BlockingPool();
  BlockingPool(const BlockingPool&) = delete;
  BlockingPool& operator=(const BlockingPool&) = delete;

  void Post(std::function<void()> work);

 private:
  void Run();
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace lathe

#endif  // LATHE_SERVER_BLOCKING_POOL_H_
