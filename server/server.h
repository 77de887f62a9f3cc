#ifndef LATHE_SERVER_SERVER_H_
#define LATHE_SERVER_SERVER_H_

#include <chrono>
#include <memory>
#include <string>

#include "common/clock.h"
#include "common/metrics.h"
#include "common/status.h"
#include "storage/artifacts.h"
#include "storage/job_store.h"

namespace lathe {

struct ServerOptions {
  std::string listen = "127.0.0.1:7600";  // HOST:PORT; port 0 takes any
  std::string executor_path;              // for InspectModel
  std::string jobs_dir;
  std::chrono::milliseconds inspect_timeout{2000};
  bool reflection = true;
};

// OK, or INVALID_ARGUMENT BAD_ADDRESS: not HOST:PORT, or not a loopback address, which this version refuses because it
// has no TLS.
absl::Status CheckListenAddress(const std::string& address);

// The gRPC edge: every service, on one address. All references must outlive the object. Start, Drain and Shutdown on
// one thread.
class Server {
 public:
  Server(ServerOptions options, JobStore& jobs, Artifacts& artifacts, Metrics& metrics, const Clock& clock);
  // As Drain, then Shutdown at once.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Begins to serve; returns the HOST:PORT. Errors of CheckListenAddress; UNAVAILABLE LISTEN_FAILED: the address is
  // taken.
  absl::StatusOr<std::string> Start();

  // Health says NOT_SERVING; new jobs and uploads are refused and streams end with UNAVAILABLE DRAINING. Reads go on.
  void StartDrain();

  // Ends everything; calls that take longer than `grace` are cancelled. Nothing runs on return.
  void Shutdown(std::chrono::milliseconds grace);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace lathe

#endif  // LATHE_SERVER_SERVER_H_
