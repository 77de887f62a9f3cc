#include "storage/sqlite_artifact_index.h"

#include <gtest/gtest.h>

#include "tests/support/fake_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace lathe {
namespace {

class SqliteArtifactIndexTest : public testing::Test {
 protected:
  SqliteArtifactIndexTest() : database_(*SqliteDatabase::Open(dir_ / "db")), index_(*database_, clock_) {}
  static ArtifactRecord MakeArtifact(char digit, const std::string& project = "default") {
    ArtifactRecord artifact;
    artifact.project = project;
    artifact.sha256 = std::string(64, digit);
    artifact.size_bytes = 10;
    artifact.kind = 1;
    artifact.media_type = "text/plain";
    artifact.labels = {{"k", "v"}};
    return artifact;
  }
  static UploadRecord MakeUpload() {
    UploadRecord upload;
    upload.project = "default";
    upload.sha256 = std::string(64, 'a');
    upload.size_bytes = 5;
    upload.kind = 2;
    upload.expire_time_micros = 100;
    return upload;
  }
  TempDir dir_;
  FakeClock clock_;
  std::unique_ptr<SqliteDatabase> database_;
  SqliteArtifactIndex index_;
};

TEST_F(SqliteArtifactIndexTest, KeepsTheFirstRow) {
  ASSERT_TRUE(Succeeds(index_.PutArtifact(MakeArtifact('a'))));
  ArtifactRecord again = MakeArtifact('a');
  again.media_type = "other";
  EXPECT_EQ(index_.PutArtifact(again)->media_type, "text/plain");
  const auto stored = index_.GetArtifact("default", std::string(64, 'a'));
  ASSERT_TRUE(Succeeds(stored));
  EXPECT_EQ(stored->labels, MakeArtifact('a').labels);
  EXPECT_EQ(stored->create_time_micros, clock_.NowMicros());
  EXPECT_TRUE(
      Fails(index_.GetArtifact("other", std::string(64, 'a')), absl::StatusCode::kNotFound, "ARTIFACT_NOT_FOUND"));
}

TEST_F(SqliteArtifactIndexTest, ListsByKindInPages) {
  for (char digit : {'1', '2', '3'}) ASSERT_TRUE(Succeeds(index_.PutArtifact(MakeArtifact(digit))));
  ArtifactRecord data = MakeArtifact('4');
  data.kind = 2;
  ASSERT_TRUE(Succeeds(index_.PutArtifact(data)));
  const auto first = index_.ListArtifacts("default", 1, 2, 0);
  ASSERT_TRUE(Succeeds(first));
  ASSERT_EQ(first->artifacts.size(), 2u);
  EXPECT_EQ(first->artifacts[0].sha256[0], '3');
  const auto second = index_.ListArtifacts("default", 1, 2, first->next_cursor);
  ASSERT_EQ(second->artifacts.size(), 1u);
  EXPECT_EQ(second->next_cursor, 0);
  EXPECT_EQ(index_.ListArtifacts("default", 0, 10, 0)->artifacts.size(), 4u);
}

TEST_F(SqliteArtifactIndexTest, TellsWhenTheLastProjectDroppedADigest) {
  ASSERT_TRUE(Succeeds(index_.PutArtifact(MakeArtifact('a'))));
  ASSERT_TRUE(Succeeds(index_.PutArtifact(MakeArtifact('a', "other"))));
  EXPECT_FALSE(*index_.DeleteArtifact("default", std::string(64, 'a')));
  EXPECT_TRUE(*index_.DeleteArtifact("other", std::string(64, 'a')));
  EXPECT_TRUE(
      Fails(index_.DeleteArtifact("other", std::string(64, 'a')), absl::StatusCode::kNotFound, "ARTIFACT_NOT_FOUND"));
}

TEST_F(SqliteArtifactIndexTest, CreatesAnUploadOncePerRequest) {
  const auto first = index_.CreateUpload(MakeUpload(), "r", "h");
  ASSERT_TRUE(Succeeds(first));
  EXPECT_FALSE(first->existing);
  EXPECT_EQ(first->upload.id.substr(0, 2), "u-");
  const auto second = index_.CreateUpload(MakeUpload(), "r", "h");
  ASSERT_TRUE(Succeeds(second));
  EXPECT_TRUE(second->existing);
  EXPECT_EQ(second->upload.id, first->upload.id);
  EXPECT_TRUE(
      Fails(index_.CreateUpload(MakeUpload(), "r", "other"), absl::StatusCode::kAlreadyExists, "REQUEST_ID_REUSED"));
  EXPECT_NE(index_.CreateUpload(MakeUpload(), "", "")->upload.id, index_.CreateUpload(MakeUpload(), "", "")->upload.id);
}

TEST_F(SqliteArtifactIndexTest, CommitsAnUploadWithItsArtifact) {
  const std::string id = index_.CreateUpload(MakeUpload(), "", "")->upload.id;
  ASSERT_TRUE(Succeeds(index_.CommitUpload("default", id, MakeArtifact('a'))));
  EXPECT_EQ(index_.GetUpload("default", id)->state, UploadState::kCommitted);
  EXPECT_TRUE(Succeeds(index_.GetArtifact("default", std::string(64, 'a'))));
  EXPECT_TRUE(Fails(index_.CommitUpload("default", "u-none", MakeArtifact('b')), absl::StatusCode::kNotFound,
                    "UPLOAD_NOT_FOUND"));
  EXPECT_FALSE(index_.GetArtifact("default", std::string(64, 'b')).ok());
}

TEST_F(SqliteArtifactIndexTest, FindsExpiredUploads) {
  const std::string id = index_.CreateUpload(MakeUpload(), "", "")->upload.id;
  EXPECT_TRUE(index_.ExpiredUploads(99, 10)->empty());
  ASSERT_EQ(index_.ExpiredUploads(100, 10)->size(), 1u);
  ASSERT_TRUE(Succeeds(index_.SetUploadState("default", id, UploadState::kFailed)));
  ASSERT_TRUE(Succeeds(index_.DeleteUpload("default", id)));
  EXPECT_TRUE(Fails(index_.DeleteUpload("default", id), absl::StatusCode::kNotFound, "UPLOAD_NOT_FOUND"));
  EXPECT_TRUE(Fails(index_.GetUpload("default", id), absl::StatusCode::kNotFound, "UPLOAD_NOT_FOUND"));
}

}  // namespace
}  // namespace lathe
