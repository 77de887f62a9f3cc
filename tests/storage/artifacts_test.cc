#include "storage/artifacts.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "common/digest.h"
#include "common/file.h"
#include "storage/local_storage.h"
#include "tests/support/fake_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace lathe {
namespace {

class ArtifactsTest : public testing::Test {
 protected:
  ArtifactsTest() : storage_(*LocalStorage::Open(dir_.path(), {.free_fraction = [] { return 0.5; }}, clock_)) {}
  Artifacts& artifacts() { return storage_->artifacts(); }
  UploadRecord CreateUpload(const std::string& text, const std::string& project = "default") {
    UploadRecord upload;
    upload.project = project;
    upload.sha256 = HexDigest(text);
    upload.size_bytes = text.size();
    upload.kind = 1;
    upload.expire_time_micros = 100;
    return artifacts().index().CreateUpload(upload, "", "")->upload;
  }
  absl::StatusOr<ArtifactRecord> Send(const UploadRecord& upload, const std::string& text) {
    LATHE_ASSIGN_OR_RETURN(const auto writer,
                           artifacts().store().OpenUpload(upload.id, {upload.sha256, upload.size_bytes}));
    LATHE_RETURN_IF_ERROR(
        writer->Append(0, absl::MakeConstSpan(reinterpret_cast<const uint8_t*>(text.data()), text.size())));
    return artifacts().PublishUpload(upload, *writer);
  }
  void Reopen() {
    storage_.reset();
    storage_ = *LocalStorage::Open(dir_.path(), {.free_fraction = [] { return 0.5; }}, clock_);
  }
  TempDir dir_;
  FakeClock clock_;
  std::unique_ptr<LocalStorage> storage_;
};

TEST_F(ArtifactsTest, PublishesUploads) {
  const UploadRecord upload = CreateUpload("abc");
  const auto artifact = Send(upload, "abc");
  ASSERT_TRUE(Succeeds(artifact));
  EXPECT_EQ(artifact->sha256, HexDigest("abc"));
  EXPECT_EQ(artifacts().index().GetUpload("default", upload.id)->state, UploadState::kCommitted);
  EXPECT_TRUE(Succeeds(artifacts().Open("default", artifact->sha256)));
  EXPECT_TRUE(Succeeds(artifacts().FindForUpload("default", artifact->sha256)));
}

// As a crash between the publication of the bytes and the row would leave it.
TEST_F(ArtifactsTest, GoesOnAfterACrashBetweenBytesAndRow) {
  const UploadRecord upload = CreateUpload("abc");
  {
    const auto writer = artifacts().store().OpenUpload(upload.id, {upload.sha256, upload.size_bytes});
    ASSERT_TRUE(Succeeds(writer));
    const std::string text = "abc";
    ASSERT_TRUE(Succeeds(
        (*writer)->Append(0, absl::MakeConstSpan(reinterpret_cast<const uint8_t*>(text.data()), text.size()))));
    EXPECT_TRUE(
        Fails((*writer)->Commit([] { return MakeError(absl::StatusCode::kUnavailable, "STORAGE_UNAVAILABLE", ""); }),
              absl::StatusCode::kUnavailable, "STORAGE_UNAVAILABLE"));
  }
  ASSERT_TRUE(Succeeds(artifacts().store().Stat(upload.sha256)));
  Reopen();
  EXPECT_FALSE(artifacts().store().Stat(upload.sha256).ok()) << "bytes without a row stay for ever";
  EXPECT_EQ(artifacts().index().GetUpload("default", upload.id)->state, UploadState::kOpen);
  EXPECT_EQ(artifacts().store().UploadedBytes(upload.id), 3u) << "what was received must not be sent again";
  {
    const auto writer = artifacts().store().OpenUpload(upload.id, {upload.sha256, upload.size_bytes});
    ASSERT_TRUE(Succeeds(writer));
    ASSERT_TRUE(Succeeds(artifacts().PublishUpload(upload, **writer)));
  }
  EXPECT_TRUE(Succeeds(artifacts().Open("default", upload.sha256)));
  EXPECT_TRUE(std::filesystem::is_empty(dir_ / "uploads"));
  Reopen();
  EXPECT_TRUE(Succeeds(artifacts().Open("default", upload.sha256)));
}

TEST_F(ArtifactsTest, RemovesFilesThatWereNotRecorded) {
  ASSERT_TRUE(Succeeds(WriteFileAtomically(dir_ / "made", "made by a job")));
  ASSERT_TRUE(Succeeds(artifacts().store().PutFile(dir_ / "made", HexDigest("made by a job"))));
  EXPECT_EQ(artifacts().store().Digests()->size(), 1u);
  Reopen();
  EXPECT_TRUE(artifacts().store().Digests()->empty());
}

TEST_F(ArtifactsTest, HidesArtifactsOfOtherProjects) {
  ASSERT_TRUE(Succeeds(Send(CreateUpload("abc"), "abc")));
  EXPECT_TRUE(Fails(artifacts().Open("other", HexDigest("abc")), absl::StatusCode::kNotFound, "ARTIFACT_NOT_FOUND"));
  EXPECT_TRUE(
      Fails(artifacts().FindForUpload("other", HexDigest("abc")), absl::StatusCode::kNotFound, "ARTIFACT_NOT_FOUND"));
}

TEST_F(ArtifactsTest, FailsAnUploadOfOtherBytes) {
  const UploadRecord upload = CreateUpload("abc");
  EXPECT_TRUE(Fails(Send(upload, "abd"), absl::StatusCode::kInvalidArgument, "DIGEST_MISMATCH"));
  EXPECT_EQ(artifacts().index().GetUpload("default", upload.id)->state, UploadState::kFailed);
}

TEST_F(ArtifactsTest, DropsBytesWithTheLastRow) {
  ASSERT_TRUE(Succeeds(Send(CreateUpload("abc"), "abc")));
  ASSERT_TRUE(Succeeds(Send(CreateUpload("abc", "other"), "abc")));
  ASSERT_TRUE(Succeeds(artifacts().Delete("default", HexDigest("abc"))));
  EXPECT_TRUE(Succeeds(artifacts().Open("other", HexDigest("abc"))));
  ASSERT_TRUE(Succeeds(artifacts().Delete("other", HexDigest("abc"))));
  EXPECT_EQ(artifacts().store().Stat(HexDigest("abc")).status().code(), absl::StatusCode::kNotFound);
}

// A row without bytes would be a lost artifact.
TEST_F(ArtifactsTest, KeepsRowsAndBytesInStepUnderPublishingAndDeleting) {
  ASSERT_TRUE(Succeeds(WriteFileAtomically(storage_->jobs_dir() + "/f", "abc")));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      ArtifactRecord artifact;
      artifact.project = "default";
      for (int i = 0; i < 10; ++i) {
        if (t % 2 == 0) {
          EXPECT_TRUE(Succeeds(artifacts().PublishFile(storage_->jobs_dir() + "/f", artifact)));
        } else {
          artifacts().Delete("default", HexDigest("abc")).IgnoreError();
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(artifacts().index().GetArtifact("default", HexDigest("abc")).ok(),
            artifacts().store().Stat(HexDigest("abc")).ok());
}

TEST_F(ArtifactsTest, SweepsExpiredUploadsButNotOpenOnes) {
  const UploadRecord idle = CreateUpload("abc"), busy = CreateUpload("abc");
  const auto writer = artifacts().store().OpenUpload(busy.id, {busy.sha256, busy.size_bytes});
  EXPECT_EQ(*artifacts().SweepUploads(99), 0);
  EXPECT_EQ(*artifacts().SweepUploads(100), 1);
  EXPECT_FALSE(artifacts().index().GetUpload("default", idle.id).ok());
  EXPECT_TRUE(Succeeds(artifacts().index().GetUpload("default", busy.id)));
}

}  // namespace
}  // namespace lathe
