#include "executor/job.h"

#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <vector>

#include "absl/strings/match.h"
#include "common/parallel.h"

namespace lathe {
namespace {

// Fault injection for the tests of whoever supervises executors; the environment must allow it.
absl::StatusOr<internal::v1::ExecutorResult> RunTestHook(const JobContext& context) {
  const std::string& hook = context.spec.test_hook();
  const char* allowed = getenv("LATHE_TEST_HOOKS");
  if (allowed == nullptr || std::string_view(allowed) != "1") {
    return MakeError(absl::StatusCode::kPermissionDenied, "TEST_HOOK_REFUSED",
                     "test hooks need LATHE_TEST_HOOKS=1 in the environment");
  }
  if (hook == "crash") raise(SIGSEGV);
  if (hook == "exit7") _exit(7);
  if (hook == "hang") {
    while (true) pause();
  }
  if (hook == "allocate") {
    std::vector<std::vector<char>> held;
    while (true) held.emplace_back(size_t{1} << 20, 'x');
  }
  if (hook == "fill") {
    std::ofstream file(context.job_dir + "/out/fill");
    const std::string block(size_t{1} << 20, 'x');
    while (file.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) {
    }
    return MakeError(absl::StatusCode::kResourceExhausted, "DISK_LOW", "out/fill cannot grow");
  }
  return MakeError(absl::StatusCode::kInvalidArgument, "BAD_SPEC", absl::StrFormat("no test hook '%s'", hook));
}

}  // namespace

absl::StatusOr<std::string> JobContext::Path(const std::string& relative) const {
  if (relative.empty() || relative[0] == '/' || absl::StrContains(relative, "..")) {
    return MakeError(absl::StatusCode::kInvalidArgument, "BAD_SPEC",
                     absl::StrFormat("'%s' is not a path inside the job directory", relative));
  }
  return job_dir + "/" + relative;
}

absl::StatusOr<internal::v1::ExecutorResult> RunJob(const JobContext& context) {
  using Spec = internal::v1::ExecutorSpec;
  auto run = [&]() -> absl::StatusOr<internal::v1::ExecutorResult> {
    switch (context.spec.work_case()) {
      case Spec::kOptimize:
        return context.spec.optimize().dry_run() ? RunDryRun(context) : RunOptimize(context);
      case Spec::kBenchmark:
        return RunBenchmark(context);
      case Spec::kCompare:
        return RunCompare(context);
      case Spec::kInspect:
        return RunInspect(context);
      case Spec::kDump:
        return RunDump(context);
      case Spec::kRecommend:
        return RunRecommend(context);
      case Spec::kPlan:
        return RunPlan(context);
      case Spec::kTestHook:
        return RunTestHook(context);
      case Spec::WORK_NOT_SET:
        break;
    }
    return MakeError(absl::StatusCode::kInvalidArgument, "BAD_SPEC", "the spec names no work");
  };
  const int threads = static_cast<int>(context.spec.threads());
  return WithThreads(threads < 1 ? 1 : threads, run);
}

}  // namespace lathe
