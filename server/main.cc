// lathe-server: the whole product on one machine. Reads its command line, opens the data directory, puts the parts
// together, and waits for a signal.

#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <thread>

#include "common/build_id.h"
#include "common/log.h"
#include "executor/supervisor.h"
#include "server/flags.h"
#include "server/server.h"
#include "storage/local_storage.h"
#include "worker/subprocess_executor.h"
#include "worker/worker_loop.h"

namespace lathe {
namespace {

constexpr std::chrono::seconds kSweepInterval{600};
constexpr std::chrono::seconds kShutdownGrace{5};

// SIGTERM and SIGINT, blocked in every thread of the process (executors get a clean mask from their supervisor).
sigset_t BlockSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return signals;
}

// Waits for a signal; removes expired uploads meanwhile.
void WaitForSignal(const sigset_t& signals, Artifacts& artifacts, const Clock& clock) {
  const timespec interval{.tv_sec = kSweepInterval.count(), .tv_nsec = 0};
  do {
    const auto swept = artifacts.SweepUploads(clock.NowMicros());
    if (!swept.ok()) LogError("upload_sweep_failed", "expired uploads stay until the next try", swept.status());
  } while (sigtimedwait(&signals, nullptr, &interval) < 0);
}

// A second signal ends the process at once: its executors die with it, their jobs are requeued at the next start.
void ExitOnNextSignal(const sigset_t& signals) {
  std::thread([signals] {
    int number = 0;
    sigwait(&signals, &number);
    Log(LogLevel::kWarning, "killed", "second signal: ending at once");
    _exit(1);
  }).detach();
}

absl::Status Run(const ServerFlags& flags, const sigset_t& signals) {
  const SystemClock clock;
  Metrics metrics;
  LATHE_ASSIGN_OR_RETURN(const std::string executor_path, FindExecutor(flags.executor));
  LATHE_ASSIGN_OR_RETURN(const auto storage, LocalStorage::Open(flags.data_dir, {}, clock));
  JobStore& jobs = storage->jobs();
  // Before the first job can end.
  jobs.SubscribeEnds([&metrics](const JobEnd& end) {
    metrics.JobFinished(end.kind, end.preset, JobStateName(end.state), end.reason);
  });
  LATHE_ASSIGN_OR_RETURN(const JobStore::Requeued requeued, jobs.RequeueRunning());
  Log(LogLevel::kInfo, "starting", "",
      {{"build_id", BuildId()},
       {"data_dir", flags.data_dir},
       {"requeued", requeued.queued},
       {"poisoned", requeued.poisoned},
       {"cancelled", requeued.cancelled}});
  metrics.SetQueueSource([&jobs]() -> Metrics::Queue {
    const auto counts = jobs.Counts();
    return counts.ok() ? Metrics::Queue{counts->queued, counts->running} : Metrics::Queue{};
  });

  SubprocessExecutor executor({.executor_path = executor_path, .threads = flags.threads_per_job}, metrics);
  // Also without slots: it sweeps jobs/ and expires queued jobs.
  WorkerLoop worker({.name = absl::StrFormat("local:%d", getpid()),
                     .jobs_dir = storage->jobs_dir(),
                     .slots = flags.local_workers * flags.slots},
                    jobs, storage->artifacts(), executor, metrics, clock);
  LATHE_RETURN_IF_ERROR(worker.Start());
  Server server({.listen = flags.listen,
                 .executor_path = executor_path,
                 .jobs_dir = storage->jobs_dir(),
                 .reflection = flags.reflection},
                jobs, storage->artifacts(), metrics, clock);
  LATHE_ASSIGN_OR_RETURN(const std::string metrics_address, metrics.Serve(flags.metrics_listen));
  LATHE_ASSIGN_OR_RETURN(const std::string address, server.Start());
  absl::PrintF("{\"event\":\"listening\",\"grpc\":\"%s\",\"metrics\":\"%s\"}\n", address, metrics_address);
  fflush(stdout);

  WaitForSignal(signals, storage->artifacts(), clock);
  ExitOnNextSignal(signals);
  Log(LogLevel::kInfo, "draining", "");
  server.StartDrain();
  worker.Drain(flags.drain_timeout);
  server.Shutdown(kShutdownGrace);
  Log(LogLevel::kInfo, "stopped", "");
  return absl::OkStatus();
}

}  // namespace
}  // namespace lathe

int main(int argc, char** argv) {
  const sigset_t signals = lathe::BlockSignals();
  const lathe::FlagsOrExit parsed = lathe::ParseServerFlags(argc, argv);
  if (!parsed.flags.has_value()) return parsed.exit_status;
  lathe::SetLogLevel(parsed.flags->log_level);
  const absl::Status status = lathe::Run(*parsed.flags, signals);
  if (status.ok()) return 0;
  lathe::LogError("failed", "the server cannot run", status);
  return 1;
}
