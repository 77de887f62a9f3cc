#include "storage/directory_artifact_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "common/digest.h"
#include "common/file.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace lathe {
namespace {

// What the contract suite cannot know: the layout, and damage behind the store's back.
class DirectoryArtifactStoreTest : public testing::Test {
 protected:
  DirectoryArtifactStoreTest() {
    EXPECT_TRUE(Succeeds(WriteFileAtomically(outside_ / "f", kText)));
    Reopen();
  }
  void Reopen() {
    store_.reset();
    store_ = *DirectoryArtifactStore::Open(dir_.path(), {.free_fraction = [] { return 0.5; }});
  }
  std::string Place() const { return dir_ / ("cas/" + sha_.substr(0, 2) + "/" + sha_.substr(2, 2) + "/" + sha_); }
  void FlipAByte() {
    ASSERT_EQ(chmod(Place().c_str(), 0640), 0);
    std::fstream file(Place(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(3);
    file.put('X');
  }

  const std::string kText = "some bytes of a model";
  const std::string sha_ = HexDigest(kText);
  TempDir dir_, outside_;
  std::unique_ptr<DirectoryArtifactStore> store_;
};

TEST_F(DirectoryArtifactStoreTest, KeepsFilesReadOnlyUnderTheirDigest) {
  ASSERT_TRUE(Succeeds(store_->PutFile(outside_ / "f", sha_)));
  struct stat info {};
  ASSERT_EQ(stat(Place().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0440u);
  EXPECT_EQ(info.st_nlink, 2u);  // no copy
  EXPECT_TRUE(std::filesystem::is_empty(dir_ / "uploads"));
}

TEST_F(DirectoryArtifactStoreTest, PutsDamagedBytesInQuarantine) {
  ASSERT_TRUE(Succeeds(store_->PutFile(outside_ / "f", sha_)));
  FlipAByte();
  Reopen();  // bytes are hashed at the first read after a start
  EXPECT_TRUE(Fails(store_->Open(sha_), absl::StatusCode::kDataLoss, "DIGEST_MISMATCH", sha_));
  EXPECT_TRUE(Fails(store_->Open(sha_), absl::StatusCode::kNotFound, "ARTIFACT_NOT_FOUND"));
  EXPECT_FALSE(std::filesystem::is_empty(dir_ / "quarantine"));
}

TEST_F(DirectoryArtifactStoreTest, NeverLinksDamagedBytesOut) {
  ASSERT_TRUE(Succeeds(store_->PutFile(outside_ / "f", sha_)));
  FlipAByte();
  Reopen();
  EXPECT_TRUE(Fails(store_->LinkTo(sha_, outside_ / "out"), absl::StatusCode::kDataLoss, "DIGEST_MISMATCH"));
  EXPECT_FALSE(std::filesystem::exists(outside_ / "out"));
}

TEST_F(DirectoryArtifactStoreTest, HealsDamageByANewUpload) {
  ASSERT_TRUE(Succeeds(store_->PutFile(outside_ / "f", sha_)));
  ASSERT_EQ(unlink((outside_ / "f").c_str()), 0);
  FlipAByte();
  Reopen();
  auto upload = store_->OpenUpload("u-1", {sha_, kText.size()});
  ASSERT_TRUE(Succeeds(upload));
  ASSERT_TRUE(Succeeds(
      (*upload)->Append(0, absl::MakeConstSpan(reinterpret_cast<const uint8_t*>(kText.data()), kText.size()))));
  ASSERT_TRUE(Succeeds((*upload)->Commit()));
  EXPECT_TRUE(Succeeds(store_->Open(sha_)));
  EXPECT_EQ(*ReadFile(Place(), 100), kText);
}

TEST_F(DirectoryArtifactStoreTest, TakesNoLinks) {
  ASSERT_EQ(symlink("/etc/passwd", (outside_ / "link").c_str()), 0);
  EXPECT_EQ(store_->PutFile(outside_ / "link", sha_).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(store_->PutFile(outside_.path(), sha_).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(DirectoryArtifactStoreTest, RemovesHalfWrittenCopiesButKeepsUploads) {
  ASSERT_TRUE(Succeeds(WriteFileAtomically(dir_ / "uploads/7.copy", "x")));
  ASSERT_TRUE(Succeeds(WriteFileAtomically(dir_ / "uploads/u-1.part", "abc")));
  Reopen();
  EXPECT_FALSE(std::filesystem::exists(dir_ / "uploads/7.copy"));
  EXPECT_EQ(store_->UploadedBytes("u-1"), 3u);
}

TEST_F(DirectoryArtifactStoreTest, AsksTheFileSystemForFreeSpace) {
  EXPECT_TRUE(Succeeds((*DirectoryArtifactStore::Open(dir_.path(), {.free_fraction_min = 0}))->CheckFreeSpace()));
  EXPECT_FALSE((*DirectoryArtifactStore::Open(dir_.path(), {.free_fraction_min = 1.1}))->CheckFreeSpace().ok());
}

}  // namespace
}  // namespace lathe
