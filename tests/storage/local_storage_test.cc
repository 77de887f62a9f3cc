#include "storage/local_storage.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>

#include "tests/support/fake_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace lathe {
namespace {

TEST(LocalStorageTest, LetsOneProcessIn) {
  const TempDir dir;
  const FakeClock clock;
  auto first = LocalStorage::Open(dir.path(), {}, clock);
  ASSERT_TRUE(Succeeds(first));
  EXPECT_TRUE(Fails(LocalStorage::Open(dir.path(), {}, clock), absl::StatusCode::kFailedPrecondition, "DATA_DIR_LOCKED",
                    absl::StrFormat("process %d", getpid())));
  first->reset();
  EXPECT_TRUE(Succeeds(LocalStorage::Open(dir.path(), {}, clock)));
}

TEST(LocalStorageTest, MakesTheJobsFolder) {
  const TempDir dir;
  const FakeClock clock;
  const auto storage = LocalStorage::Open(dir / "deep/data", {}, clock);
  ASSERT_TRUE(Succeeds(storage));
  EXPECT_EQ((*storage)->jobs_dir(), dir / "deep/data/jobs");
  EXPECT_EQ(access((*storage)->jobs_dir().c_str(), W_OK), 0);
}

// In the child: inserts jobs and writes each acknowledged id to `out` until it is killed.
[[noreturn]] void InsertForEver(const std::string& data_dir, int out) {
  const FakeClock clock;
  const auto storage = LocalStorage::Open(data_dir, {}, clock);
  if (!storage.ok()) _exit(1);
  for (int i = 0;; ++i) {
    NewJob job;
    job.project = "default";
    job.id = absl::StrFormat("job-%06d", i);
    const auto inserted = (*storage)->jobs().Insert(job, 1'000'000);
    if (!inserted.ok()) _exit(2);
    if (write(out, (job.id + "\n").data(), job.id.size() + 1) < 0) _exit(3);
    const auto claimed = (*storage)->jobs().Claim("w", i % 2);
    if (!claimed.ok()) _exit(4);
  }
}

TEST(LocalStorageTest, KeepsWhatItAcknowledgedWhenKilled) {
  const TempDir dir;
  for (int round = 0; round < 3; ++round) {
    const std::string data_dir = dir / absl::StrFormat("data-%d", round);
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();  // no thread runs in this process now
    ASSERT_GE(child, 0);
    if (child == 0) {
      close(ends[0]);
      InsertForEver(data_dir, ends[1]);
    }
    close(ends[1]);
    std::string acknowledged;
    char buffer[256];
    // Another number of jobs each round, so that the kill comes at another moment.
    while (acknowledged.size() < static_cast<size_t>(200 + 97 * round)) {
      const ssize_t count = read(ends[0], buffer, sizeof(buffer));
      ASSERT_GT(count, 0);
      acknowledged.append(buffer, static_cast<size_t>(count));
    }
    kill(child, SIGKILL);
    for (ssize_t count; (count = read(ends[0], buffer, sizeof(buffer))) > 0;) {
      acknowledged.append(buffer, static_cast<size_t>(count));
    }
    close(ends[0]);
    ASSERT_EQ(waitpid(child, nullptr, 0), child);

    const FakeClock clock;
    const auto storage = LocalStorage::Open(data_dir, {}, clock);
    ASSERT_TRUE(Succeeds(storage));
    ASSERT_TRUE(Succeeds((*storage)->jobs().RequeueRunning()));
    EXPECT_EQ((*storage)->jobs().Counts()->running, 0);
    for (size_t start = 0; start + 11 <= acknowledged.size(); start += 11) {
      EXPECT_TRUE(Succeeds((*storage)->jobs().Get({"default", acknowledged.substr(start, 10)})));
    }
  }
}

}  // namespace
}  // namespace lathe
