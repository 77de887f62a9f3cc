#include "worker/job_directory.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "common/digest.h"
#include "common/file.h"
#include "storage/directory_artifact_store.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace lathe {
namespace {

TEST(JobDirectoryTest, HoldsInputsAndVanishes) {
  const TempDir dir;
  const auto store = *DirectoryArtifactStore::Open(dir / "store", {});
  const std::string sha256 = HexDigest("abc");
  ASSERT_TRUE(Succeeds(WriteFileAtomically(dir / "f", "abc")));
  ASSERT_TRUE(Succeeds(store->PutFile(dir / "f", sha256)));
  JobRecord job;
  job.key = {"default", "j-1"};
  job.attempt = 2;
  job.token = 5;
  job.inputs = {sha256, sha256};  // model and data may be one artifact
  std::filesystem::create_directory(dir / "jobs");
  {
    const auto directory = JobDirectory::Make(dir / "jobs", job, *store);
    ASSERT_TRUE(Succeeds(directory));
    EXPECT_EQ((*directory)->path(), dir / "jobs/j-1-2-5");
    EXPECT_EQ(*ReadFile((*directory)->path() + "/input/" + sha256, 10), "abc");
  }
  EXPECT_TRUE(std::filesystem::is_empty(dir / "jobs"));
  EXPECT_TRUE(Succeeds(store->Open(sha256)));

  job.inputs = {std::string(64, 'f')};
  EXPECT_TRUE(Fails(JobDirectory::Make(dir / "jobs", job, *store), absl::StatusCode::kNotFound, "ARTIFACT_NOT_FOUND"));
  EXPECT_TRUE(std::filesystem::is_empty(dir / "jobs"));
}

TEST(JobDirectoryTest, SweepsWhatAnotherProcessLeft) {
  const TempDir dir;
  ASSERT_TRUE(Succeeds(SweepJobDirectories(dir / "jobs")));  // makes the folder
  std::filesystem::create_directories(dir / "jobs/j-1-1-1/out");
  ASSERT_TRUE(Succeeds(WriteFileAtomically(dir / "jobs/j-1-1-1/out/model.tflite", "x")));
  ASSERT_TRUE(Succeeds(SweepJobDirectories(dir / "jobs")));
  EXPECT_TRUE(std::filesystem::is_empty(dir / "jobs"));
}

}  // namespace
}  // namespace lathe
