#ifndef LATHE_SERVER_OPEN_STREAMS_H_
#define LATHE_SERVER_OPEN_STREAMS_H_

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "common/clock.h"
#include "common/status.h"

namespace lathe {

// A call that stays open: a watch, an upload, a download.
class OpenStream {
 public:
  virtual ~OpenStream() = default;
  // Ends the call with `status` as soon as no operation is in the way; the first status wins. Any thread; must not
  // block.
  virtual void End(const absl::Status& status) = 0;
  // Called about once a second; must not block.
  virtual void Tick(std::chrono::steady_clock::time_point now) = 0;
};

// Every open stream of the server. gRPC's Shutdown waits for reactors that nobody finishes, so that drain must know
// them all. Thread-safe.
class OpenStreams {
 public:
  explicit OpenStreams(const Clock& clock);
  ~OpenStreams();
  OpenStreams(const OpenStreams&) = delete;
  OpenStreams& operator=(const OpenStreams&) = delete;

  // False after EndAll: the caller ends the stream itself.
  bool Add(const std::shared_ptr<OpenStream>& stream);
  void Remove(const OpenStream* stream);
  // Ends all, and refuses new ones from now on.
  void EndAll(const absl::Status& status);

 private:
  std::unordered_map<const OpenStream*, std::shared_ptr<OpenStream>> Copy();
  void TickUntilStopped();

  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::unordered_map<const OpenStream*, std::shared_ptr<OpenStream>> streams_;
  bool closed_ = false, stopping_ = false;
  std::thread ticker_;
};

}  // namespace lathe

#endif  // LATHE_SERVER_OPEN_STREAMS_H_
