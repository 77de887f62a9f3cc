#ifndef LATHE_SERVER_FLAGS_H_
#define LATHE_SERVER_FLAGS_H_

#include <chrono>
#include <optional>
#include <string>

#include "common/log.h"

namespace lathe {

// The command line of lathe-server, checked as a whole.
struct ServerFlags {
  std::string listen = "127.0.0.1:7600";
  std::string metrics_listen = "127.0.0.1:7601";
  std::string data_dir = "lathe-data";
  int local_workers = 1;    // worker loops in this process; 0: none
  int slots = 1;            // executors at once, each worker
  int threads_per_job = 0;  // after parsing: at least 1; default all cores over all slots
  std::chrono::milliseconds drain_timeout{30'000};
  LogLevel log_level = LogLevel::kInfo;
  std::string executor;    // "": the one beside this program
  bool reflection = true;  // on by default because only loopback is served
};

// The flags, or the exit status to end with: 0 after --help or --version, 2 after a usage error, which was printed.
struct FlagsOrExit {
  std::optional<ServerFlags> flags;
  int exit_status = 0;
};
FlagsOrExit ParseServerFlags(int argc, char** argv);

}  // namespace lathe

#endif  // LATHE_SERVER_FLAGS_H_
