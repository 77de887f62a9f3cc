#include "server/flags.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <iostream>
#include <thread>

#include "absl/strings/numbers.h"
#include "common/build_id.h"
#include "server/server.h"

namespace lathe {
namespace {

// "30s", "500ms", "2m", "1h"; a bare number is seconds.
absl::StatusOr<std::chrono::milliseconds> ParseDuration(const std::string& text) {
  const auto unit_begin =
      std::find_if_not(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c) || c == '.'; });
  const std::string unit(unit_begin, text.end());
  double value = 0;
  const double factor = unit == "ms"                  ? 1
                        : unit.empty() || unit == "s" ? 1e3
                        : unit == "m"                 ? 60e3
                        : unit == "h"                 ? 3600e3
                                                      : 0;
  if (factor == 0 || !absl::SimpleAtod(std::string(text.begin(), unit_begin), &value) || value * factor > 86'400e3) {
    return MakeError(absl::StatusCode::kInvalidArgument, "BAD_DURATION",
                     absl::StrFormat("'%s' is not a duration up to 24h, e.g. 30s or 500ms", text));
  }
  return std::chrono::milliseconds(static_cast<int64_t>(value * factor));
}

absl::Status Finish(const std::string& drain_timeout, const std::string& log_level, ServerFlags& flags) {
  LATHE_RETURN_IF_ERROR(Annotate(CheckListenAddress(flags.listen), "--listen"));
  LATHE_RETURN_IF_ERROR(Annotate(CheckListenAddress(flags.metrics_listen), "--metrics-listen"));
  LATHE_ASSIGN_OR_RETURN(flags.drain_timeout, ParseDuration(drain_timeout));
  LATHE_ASSIGN_OR_RETURN(flags.log_level, ParseLogLevel(log_level));
  if (flags.threads_per_job == 0) {
    const int cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
    flags.threads_per_job = std::max(1, cores / std::max(1, flags.slots * flags.local_workers));
  }
  return absl::OkStatus();
}

}  // namespace

FlagsOrExit ParseServerFlags(int argc, char** argv) {
  ServerFlags flags;
  std::string drain_timeout = "30s", log_level = "info";
  CLI::App app("Serves lathe.v1 over gRPC: takes models, optimizes them, returns them with a report.", "lathe-server");
  app.set_version_flag("--version", absl::StrFormat("lathe-server %s (%s)", Version(), BuildId()));
  app.add_option("--listen", flags.listen, "HOST:PORT for gRPC; port 0 takes any; loopback only")
      ->capture_default_str();
  app.add_option("--metrics-listen", flags.metrics_listen, "HOST:PORT for Prometheus' /metrics")->capture_default_str();
  app.add_option("--data-dir", flags.data_dir, "where jobs and artifacts are kept")->capture_default_str();
  app.add_option("--local-workers", flags.local_workers, "worker loops in this process; 0: take jobs, run none")
      ->check(CLI::Range(0, 64))
      ->capture_default_str();
  app.add_option("--slots", flags.slots, "jobs at once, each worker")->check(CLI::Range(1, 256))->capture_default_str();
  app.add_option("--threads-per-job", flags.threads_per_job, "default: all cores over the slots")
      ->check(CLI::Range(1, 1024));
  app.add_option("--drain-timeout", drain_timeout, "how long running jobs may go on after SIGTERM")
      ->capture_default_str();
  app.add_option("--log-level", log_level, "debug, info, warning or error")->capture_default_str();
  app.add_option("--executor", flags.executor, "lathe-executor to use; default: the one beside this program");
  app.add_flag("--reflection,!--no-reflection", flags.reflection,
               "serve gRPC reflection; the default, as this version serves loopback addresses only");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return {std::nullopt, app.exit(error) == 0 ? 0 : 2};
  }
  if (const absl::Status status = Finish(drain_timeout, log_level, flags); !status.ok()) {
    std::cerr << "lathe-server: " << status.message() << "\n";
    return {std::nullopt, 2};
  }
  return {flags, 0};
}

}  // namespace lathe
