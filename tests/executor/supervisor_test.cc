#include "executor/supervisor.h"

#include <dirent.h>
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <thread>
#include <vector>

#include "common/build_id.h"
#include "tests/support/shared_dir.h"

namespace lathe {
namespace {

using internal::v1::ExecutorEvent;
using internal::v1::ExecutorResult;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::string TestExecutor() { return std::string(getenv("LATHE_BIN_DIR")) + "/test_executor"; }

int CountOpenFiles() {
  int count = 0;
  DIR* folder = opendir("/proc/self/fd");
  while (readdir(folder) != nullptr) ++count;
  closedir(folder);
  return count;
}

class SupervisorTest : public testing::Test {
 protected:
  SupervisorTest() {
    launch_.executor_path = TestExecutor();
    launch_.job_dir = folder_.path();
  }

  // No executor may be left over, and no descriptor: checked after every test.
  void TearDown() override {
    EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
    EXPECT_EQ(errno, ECHILD);
    EXPECT_EQ(CountOpenFiles(), open_files_);
  }

  absl::StatusOr<ExecutorResult> Run(const std::string& hook) {
    launch_.spec.set_test_hook(hook);
    return RunExecutor(
        launch_,
        [this](const ExecutorEvent::Progress& progress) {
          fractions_.push_back(progress.fraction());
          if (cancel_at_progress_) cancel_.Cancel();
        },
        cancel_, &exit_);
  }

  void ExpectError(const absl::StatusOr<ExecutorResult>& result, absl::StatusCode code, const std::string& reason,
                   const std::string& outcome) {
    EXPECT_EQ(result.status().code(), code) << result.status();
    EXPECT_EQ(ReasonOf(result.status()), reason) << result.status();
    EXPECT_EQ(exit_.outcome, outcome);
  }

  const int open_files_ = CountOpenFiles();
  TempDir folder_;
  ExecutorLaunch launch_;
  CancelToken cancel_;
  bool cancel_at_progress_ = false;
  ExecutorExit exit_;
  std::vector<double> fractions_;
};

TEST_F(SupervisorTest, ReturnsTheAnswerAndProgressThatNeverFalls) {
  const auto result = Run("ok");
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->dump_path(), "done");
  EXPECT_EQ(exit_.outcome, "ok");
  EXPECT_THAT(fractions_, ElementsAre(0.25, 0.25, 0.25, 1.0));
}

TEST_F(SupervisorTest, ReturnsTheExecutorsOwnError) {
  const auto result = Run("fail");
  ExpectError(result, absl::StatusCode::kInvalidArgument, "MODEL_CORRUPT", "failed");
  EXPECT_EQ(result.status().message(), "model: offset 4: not a .tflite file");
}

TEST_F(SupervisorTest, GivesTheChildItsOwnSessionFourDescriptorsAndAFixedEnvironment) {
  setenv("SECRET_TOKEN", "hunter2", 1);
  setenv("LATHE_TEST_HOOKS", "1", 1);
  const auto result = Run("environment");
  unsetenv("SECRET_TOKEN");
  unsetenv("LATHE_TEST_HOOKS");
  ASSERT_TRUE(result.ok()) << result.status();
  const std::string& text = result->dump_path();
  EXPECT_THAT(text, AllOf(HasSubstr("LATHE_TEST_HOOKS=1\n"), HasSubstr("OMP_WAIT_POLICY=passive\n"),
                          HasSubstr("own session\n"), HasSubstr("nofile 64\n"), Not(HasSubstr("SECRET_TOKEN"))));
  EXPECT_THAT(text, AllOf(HasSubstr("fd 0\n"), HasSubstr("fd 3\n"), Not(HasSubstr("fd 4\n")), Not(HasSubstr("fd 5\n")),
                          Not(HasSubstr("fd 10\n"))));
}

TEST_F(SupervisorTest, NamesTheSignalOfACrash) {
  const auto result = Run("crash");
  ExpectError(result, absl::StatusCode::kInternal, "EXECUTOR_CRASHED", "crashed");
  EXPECT_THAT(std::string(result.status().message()), HasSubstr("signal 11 (SIGSEGV"));
}

TEST_F(SupervisorTest, PutsTheLastLinesOfOutputIntoTheError) {
  const auto result = Run("chatter");
  ExpectError(result, absl::StatusCode::kInternal, "EXECUTOR_CRASHED", "crashed");
  EXPECT_THAT(std::string(result.status().message()), AllOf(HasSubstr("SIGABRT"), HasSubstr("line 99999\nbell ? and ?"),
                                                            HasSubstr("line 99981"), Not(HasSubstr("line 99980"))));
}

TEST_F(SupervisorTest, CallsAnUnknownExitCodeACrash) {
  const auto result = Run("exit7");
  ExpectError(result, absl::StatusCode::kInternal, "EXECUTOR_CRASHED", "crashed");
  EXPECT_THAT(std::string(result.status().message()), HasSubstr("exit code 7"));
}

TEST_F(SupervisorTest, RefusesAnswersThatAreMissingContradictoryOrBroken) {
  for (const char* hook : {"exit0", "contradict", "garbage-answer", "link-answer", "silent"}) {
    TempDir folder;
    launch_.job_dir = folder.path();
    ExpectError(Run(hook), absl::StatusCode::kInternal, "EXECUTOR_CRASHED", "crashed");
  }
}

TEST_F(SupervisorTest, IgnoresTheAnswerOfAnEarlierAttempt) {
  ASSERT_TRUE(Run("ok").ok());
  ExpectError(Run("exit0"), absl::StatusCode::kInternal, "EXECUTOR_CRASHED", "crashed");
}

TEST_F(SupervisorTest, EndsAChildThatSendsGarbage) {
  for (const char* hook : {"huge-event", "garbage-event"}) {
    const auto result = Run(hook);
    ExpectError(result, absl::StatusCode::kInternal, "EXECUTOR_CRASHED", "crashed");
    EXPECT_THAT(std::string(result.status().message()), HasSubstr("event"));
  }
}

TEST_F(SupervisorTest, RefusesAnotherBuildNamingBoth) {
  const auto result = Run("wrong-build");
  ExpectError(result, absl::StatusCode::kFailedPrecondition, "BUILD_MISMATCH", "refused");
  EXPECT_THAT(std::string(result.status().message()),
              AllOf(HasSubstr("another build"), HasSubstr(std::string(BuildId()))));
}

TEST_F(SupervisorTest, EndsAJobAboveItsMemory) {
  launch_.limits.memory_bytes = 64 << 20;
  for (const char* hook : {"hoard", "allocate"}) {
    const auto result = Run(hook);
    ExpectError(result, absl::StatusCode::kResourceExhausted, "MEMORY_BUDGET", "memory");
    EXPECT_THAT(std::string(result.status().message()), HasSubstr("64 MiB"));
    EXPECT_GT(exit_.peak_rss_bytes, uint64_t{64} << 20);
  }
}

TEST_F(SupervisorTest, CallsAFailedAllocationAMemoryError) {
  ExpectError(Run("bad-alloc"), absl::StatusCode::kResourceExhausted, "MEMORY_BUDGET", "memory");
}

TEST_F(SupervisorTest, EndsAJobThatWritesAFileAboveItsLimit) {
  launch_.limits.file_bytes = 8 << 20;
  const auto result = Run("fill");
  ExpectError(result, absl::StatusCode::kResourceExhausted, "FILE_BUDGET", "failed");
  EXPECT_THAT(std::string(result.status().message()), HasSubstr("8 MiB"));
}

TEST_F(SupervisorTest, EndsAJobAboveItsTime) {
  launch_.limits.wall = std::chrono::milliseconds(300);
  const auto result = Run("hang");
  ExpectError(result, absl::StatusCode::kDeadlineExceeded, "TIME_BUDGET", "timeout");
  EXPECT_THAT(std::string(result.status().message()), HasSubstr("0.3 s"));
}

TEST_F(SupervisorTest, CancelsAJob) {
  cancel_at_progress_ = true;
  ExpectError(Run("hang"), absl::StatusCode::kCancelled, "CANCELLED", "cancelled");
}

TEST_F(SupervisorTest, KillsAJobThatIgnoresTheFirstSignal) {
  launch_.limits.kill_grace = std::chrono::milliseconds(200);
  cancel_at_progress_ = true;
  ExpectError(Run("stubborn"), absl::StatusCode::kCancelled, "CANCELLED", "cancelled");
}

TEST_F(SupervisorTest, DoesNotStartACancelledJob) {
  cancel_.Cancel();
  ExpectError(Run("ok"), absl::StatusCode::kCancelled, "CANCELLED", "cancelled");
}

TEST_F(SupervisorTest, EndsTheWholeProcessGroup) {
  const auto result = Run("orphan");
  ASSERT_TRUE(result.ok()) << result.status();
  const pid_t orphan = std::stoi(result->dump_path());
  // Killed before RunExecutor returned; its new parent may take a moment to bury it.
  for (int i = 0; i < 200 && kill(orphan, 0) == 0; ++i) {
    FILE* file = fopen(("/proc/" + std::to_string(orphan) + "/stat").c_str(), "re");
    char state = 'X';
    if (file != nullptr && fscanf(file, "%*d %*s %c", &state) != 1) state = 'X';
    if (file != nullptr) fclose(file);
    if (state == 'Z' || state == 'X') return;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));  // polling another process
  }
  EXPECT_EQ(kill(orphan, 0), -1);
}

TEST_F(SupervisorTest, NamesAMissingExecutor) {
  launch_.executor_path = "/nowhere/lathe-executor";
  const auto result = Run("ok");
  ExpectError(result, absl::StatusCode::kNotFound, "EXECUTOR_MISSING", "failed");
  EXPECT_THAT(std::string(result.status().message()), HasSubstr("/nowhere/lathe-executor"));
  EXPECT_EQ(ReasonOf(FindExecutor("/nowhere/lathe-executor").status()), "EXECUTOR_MISSING");
  EXPECT_EQ(*FindExecutor(TestExecutor()), TestExecutor());
}

TEST_F(SupervisorTest, NamesAMissingJobDirectory) {
  launch_.job_dir = "/nowhere/job";
  EXPECT_THAT(std::string(Run("ok").status().message()), HasSubstr("/nowhere/job"));
}

TEST_F(SupervisorTest, RunsManyAtOnce) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([] {
      TempDir folder;
      ExecutorLaunch launch;
      launch.executor_path = TestExecutor();
      launch.job_dir = folder.path();
      launch.spec.set_test_hook("ok");
      EXPECT_TRUE(RunExecutor(launch, {}, CancelToken(), nullptr).ok());
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(ChildSetupTest, RefusesAStartByHand) {
  const int status = system((TestExecutor() + " 2>/dev/null").c_str());
  EXPECT_EQ(WEXITSTATUS(status), 95);
}

}  // namespace
}  // namespace lathe
