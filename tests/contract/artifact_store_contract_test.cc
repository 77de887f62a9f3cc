// What every ArtifactStore does, whatever it is made of.

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/digest.h"
#include "common/file.h"
#include "storage/directory_artifact_store.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace lathe {
namespace {

class StoreUnderTest {
 public:
  virtual ~StoreUnderTest() = default;
  virtual ArtifactStore& store() = 0;
  virtual void Reopen() = 0;
  double free_fraction = 0.5;
};

class DirectoryUnderTest final : public StoreUnderTest {
 public:
  DirectoryUnderTest() { Reopen(); }
  ArtifactStore& store() override { return *store_; }
  void Reopen() override {
    store_.reset();
    DirectoryStoreOptions options;
    options.sync_bytes = 1000;
    options.free_fraction = [this] { return free_fraction; };
    auto opened = DirectoryArtifactStore::Open(dir_.path(), options);
    if (!opened.ok()) std::abort();
    store_ = *std::move(opened);
  }

 private:
  TempDir dir_;
  std::unique_ptr<DirectoryArtifactStore> store_;
};

absl::Span<const uint8_t> Bytes(const std::string& text) {
  return absl::MakeConstSpan(reinterpret_cast<const uint8_t*>(text.data()), text.size());
}

std::string Pattern(size_t size) {
  std::string text(size, '\0');
  for (size_t i = 0; i < size; ++i) text[i] = static_cast<char>((i * 31 + i / 251) & 0xff);
  return text;
}

using Factory = std::function<std::unique_ptr<StoreUnderTest>()>;

class ArtifactStoreContract : public testing::TestWithParam<std::pair<const char*, Factory>> {
 protected:
  ArtifactStoreContract() : under_test_(GetParam().second()) {}
  ArtifactStore& store() { return under_test_->store(); }
  static ExpectedBytes Expect(const std::string& text) { return {HexDigest(text), text.size()}; }

  std::unique_ptr<ArtifactUpload> Begin(const std::string& id, const ExpectedBytes& expected) {
    auto upload = store().OpenUpload(id, expected);
    EXPECT_TRUE(Succeeds(upload));
    return upload.ok() ? *std::move(upload) : nullptr;
  }
  void Put(const std::string& text) {
    auto upload = Begin("u-put", Expect(text));
    ASSERT_TRUE(Succeeds(upload->Append(0, Bytes(text))));
    ASSERT_TRUE(Succeeds(upload->Commit()));
  }
  std::string ReadAll(const std::string& sha256) {
    auto reader = store().Open(sha256);
    EXPECT_TRUE(Succeeds(reader));
    if (!reader.ok()) return "";
    std::string text((*reader)->size_bytes(), '\0');
    EXPECT_TRUE(Succeeds((*reader)->ReadAt(0, absl::MakeSpan(reinterpret_cast<uint8_t*>(text.data()), text.size()))));
    return text;
  }

  std::unique_ptr<StoreUnderTest> under_test_;
  TempDir outside_;
};

TEST_P(ArtifactStoreContract, GivesBackWhatWasUploaded) {
  for (const std::string& text : {std::string(), std::string("x"), Pattern(5000)}) {
    Put(text);
    EXPECT_EQ(ReadAll(HexDigest(text)), text);
    EXPECT_EQ(*store().Stat(HexDigest(text)), text.size());
  }
}

TEST_P(ArtifactStoreContract, ReadsRanges) {
  const std::string text = Pattern(5000);
  Put(text);
  const auto reader = store().Open(HexDigest(text));
  ASSERT_TRUE(Succeeds(reader));
  std::string part(100, '\0');
  const auto span = absl::MakeSpan(reinterpret_cast<uint8_t*>(part.data()), part.size());
  EXPECT_EQ(*(*reader)->ReadAt(1234, span), 100u);
  EXPECT_EQ(part, text.substr(1234, 100));
  EXPECT_EQ(*(*reader)->ReadAt(4950, span), 50u);
  EXPECT_EQ(*(*reader)->ReadAt(5000, span), 0u);
  EXPECT_EQ((*reader)->ReadAt(5001, span).status().code(), absl::StatusCode::kOutOfRange);
}

TEST_P(ArtifactStoreContract, DoesNotKnowWhatIsNotThere) {
  const std::string sha256(64, 'a');
  EXPECT_TRUE(Fails(store().Open(sha256), absl::StatusCode::kNotFound, "ARTIFACT_NOT_FOUND", sha256));
  EXPECT_TRUE(Fails(store().Stat(sha256), absl::StatusCode::kNotFound, "ARTIFACT_NOT_FOUND", sha256));
  EXPECT_TRUE(Fails(store().LinkTo(sha256, outside_ / "x"), absl::StatusCode::kNotFound, "ARTIFACT_NOT_FOUND"));
  EXPECT_TRUE(Succeeds(store().Delete(sha256)));
  EXPECT_EQ(store().UploadedBytes("u-none"), 0u);
  EXPECT_TRUE(Succeeds(store().AbortUpload("u-none")));
}

TEST_P(ArtifactStoreContract, GoesOnAfterARestart) {
  const std::string text = Pattern(5000);
  uint64_t offset = 0;
  // Lost connections at odd places, with and without a new process in between.
  for (uint64_t stop : {1u, 999u, 1000u, 2001u, 4999u}) {
    auto upload = Begin("u-resume", Expect(text));
    ASSERT_EQ(upload->received_size(), offset);
    EXPECT_EQ(upload->committed_size(), offset);
    ASSERT_TRUE(Succeeds(upload->Append(offset, Bytes(text.substr(offset, stop - offset)))));
    offset = stop;
    upload.reset();
    EXPECT_EQ(store().UploadedBytes("u-resume"), offset);
    if (stop % 2 == 0) under_test_->Reopen();
  }
  auto upload = Begin("u-resume", Expect(text));
  ASSERT_TRUE(Succeeds(upload->Append(offset, Bytes(text.substr(offset)))));
  ASSERT_TRUE(Succeeds(upload->Commit()));
  upload.reset();
  EXPECT_EQ(ReadAll(HexDigest(text)), text);
  EXPECT_EQ(store().UploadedBytes("u-resume"), 0u);
}

TEST_P(ArtifactStoreContract, RefusesAWrongOffset) {
  auto upload = Begin("u-offset", Expect("abcdef"));
  ASSERT_TRUE(Succeeds(upload->Append(0, Bytes("abc"))));
  EXPECT_TRUE(Fails(upload->Append(0, Bytes("abc")), absl::StatusCode::kOutOfRange, "OFFSET_MISMATCH", "3 bytes"));
  EXPECT_TRUE(Fails(upload->Append(4, Bytes("ef")), absl::StatusCode::kOutOfRange, "OFFSET_MISMATCH"));
  ASSERT_TRUE(Succeeds(upload->Append(3, Bytes("def"))));
  EXPECT_TRUE(Succeeds(upload->Commit()));
}

TEST_P(ArtifactStoreContract, RefusesMoreAndFewerBytesThanExpected) {
  auto upload = Begin("u-size", Expect("abcdef"));
  EXPECT_TRUE(Fails(upload->Append(0, Bytes("abcdefg")), absl::StatusCode::kInvalidArgument, "SIZE_MISMATCH", "7"));
  ASSERT_TRUE(Succeeds(upload->Append(0, Bytes("abc"))));
  EXPECT_TRUE(Fails(upload->Commit(), absl::StatusCode::kInvalidArgument, "SIZE_MISMATCH", "3"));
}

TEST_P(ArtifactStoreContract, RefusesAWrongDigestAndForgetsTheBytes) {
  const std::string wrong = HexDigest("something else");
  auto upload = Begin("u-digest", {wrong, 3});
  ASSERT_TRUE(Succeeds(upload->Append(0, Bytes("abc"))));
  const absl::Status status = upload->Commit();
  EXPECT_TRUE(Fails(status, absl::StatusCode::kInvalidArgument, "DIGEST_MISMATCH", wrong));
  EXPECT_TRUE(Fails(status, absl::StatusCode::kInvalidArgument, "DIGEST_MISMATCH", HexDigest("abc")));
  upload.reset();
  EXPECT_EQ(store().UploadedBytes("u-digest"), 0u);
  EXPECT_EQ(store().Stat(wrong).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(store().Stat(HexDigest("abc")).status().code(), absl::StatusCode::kNotFound);
}

TEST_P(ArtifactStoreContract, HasOneWriterPerUpload) {
  auto upload = Begin("u-busy", Expect("abc"));
  EXPECT_TRUE(Fails(store().OpenUpload("u-busy", Expect("abc")), absl::StatusCode::kAborted, "UPLOAD_BUSY"));
  EXPECT_TRUE(Fails(store().AbortUpload("u-busy"), absl::StatusCode::kAborted, "UPLOAD_BUSY"));
  upload.reset();
  EXPECT_TRUE(Succeeds(store().OpenUpload("u-busy", Expect("abc"))));
}

TEST_P(ArtifactStoreContract, TakesTheSameBytesTwiceAtOnce) {
  const std::string text = Pattern(100'000);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      auto upload = Begin(absl::StrFormat("u-%d", t), Expect(text));
      for (size_t offset = 0; offset < text.size(); offset += 10'000) {
        EXPECT_TRUE(Succeeds(upload->Append(offset, Bytes(text.substr(offset, 10'000)))));
      }
      EXPECT_TRUE(Succeeds(upload->Commit()));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(ReadAll(HexDigest(text)), text);
}

TEST_P(ArtifactStoreContract, TakesFilesAndLinksThemOut) {
  const std::string text = Pattern(3000), path = outside_ / "made";
  ASSERT_TRUE(Succeeds(WriteFileAtomically(path, text)));
  const auto size = store().PutFile(path, HexDigest(text));
  ASSERT_TRUE(Succeeds(size));
  EXPECT_EQ(*size, text.size());
  ASSERT_TRUE(Succeeds(store().PutFile(path, HexDigest(text))));
  ASSERT_TRUE(Succeeds(store().LinkTo(HexDigest(text), outside_ / "linked")));
  EXPECT_EQ(*ReadFile(outside_ / "linked", 10'000), text);
  EXPECT_EQ(store().LinkTo(HexDigest(text), outside_ / "linked").code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(store().PutFile(outside_ / "none", HexDigest(text)).status().code(), absl::StatusCode::kNotFound);
}

TEST_P(ArtifactStoreContract, ReadersOutliveDeletion) {
  Put("abc");
  const auto reader = store().Open(HexDigest("abc"));
  ASSERT_TRUE(Succeeds(reader));
  ASSERT_TRUE(Succeeds(store().Delete(HexDigest("abc"))));
  EXPECT_EQ(store().Open(HexDigest("abc")).status().code(), absl::StatusCode::kNotFound);
  std::string text(3, '\0');
  EXPECT_EQ(*(*reader)->ReadAt(0, absl::MakeSpan(reinterpret_cast<uint8_t*>(text.data()), 3)), 3u);
  EXPECT_EQ(text, "abc");
}

TEST_P(ArtifactStoreContract, RefusesUploadsOnAFullDisk) {
  const std::string text = Pattern(3000);
  auto upload = Begin("u-full", Expect(text));
  under_test_->free_fraction = 0.01;
  EXPECT_TRUE(Fails(store().OpenUpload("u-other", Expect("abc")), absl::StatusCode::kResourceExhausted, "DISK_LOW"));
  EXPECT_TRUE(Fails(upload->Append(0, Bytes(text)), absl::StatusCode::kResourceExhausted, "DISK_LOW", "1.0 %"));
  upload.reset();
  under_test_->free_fraction = 0.5;
  upload = Begin("u-full", Expect(text));
  EXPECT_EQ(upload->committed_size(), text.size());
  EXPECT_TRUE(Succeeds(upload->Commit()));
}

INSTANTIATE_TEST_SUITE_P(Stores, ArtifactStoreContract,
                         testing::Values(std::pair<const char*, Factory>(
                             "directory", [] { return std::make_unique<DirectoryUnderTest>(); })),
                         [](const auto& store) { return store.param.first; });

}  // namespace
}  // namespace lathe
