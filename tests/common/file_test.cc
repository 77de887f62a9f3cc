#include "common/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace lathe {
namespace {

size_t FilesIn(const TempDir& dir) {
  return static_cast<size_t>(
      std::distance(std::filesystem::directory_iterator(dir.path()), std::filesystem::directory_iterator()));
}

TEST(MappedFileTest, ShowsTheBytes) {
  const TempDir dir;
  ASSERT_TRUE(Succeeds(WriteFileAtomically(dir / "f", "hello")));
  const auto mapped = MappedFile::Open(dir / "f");
  ASSERT_TRUE(Succeeds(mapped));
  EXPECT_EQ(std::string((*mapped)->bytes().begin(), (*mapped)->bytes().end()), "hello");
}

TEST(MappedFileTest, TakesAnEmptyFile) {
  const TempDir dir;
  ASSERT_TRUE(Succeeds(WriteFileAtomically(dir / "f", "")));
  const auto mapped = MappedFile::Open(dir / "f");
  ASSERT_TRUE(Succeeds(mapped));
  EXPECT_TRUE((*mapped)->bytes().empty());
}

TEST(MappedFileTest, RefusesWhatIsNoFile) {
  const TempDir dir;
  EXPECT_EQ(MappedFile::Open(dir / "none").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(MappedFile::Open(dir.path()).status().code(), absl::StatusCode::kInvalidArgument);
  ASSERT_EQ(mkfifo((dir / "fifo").c_str(), 0600), 0);
  EXPECT_EQ(MappedFile::Open(dir / "fifo").status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(MappedFileTest, LiesBehindAHead) {
  const TempDir dir;
  const std::string text(100000, 'x');
  ASSERT_TRUE(Succeeds(WriteFileAtomically(dir / "f", text + "end")));
  const uint8_t head[] = {'h', 'e', 'a', 'd'};
  const auto mapped = MappedFile::OpenBehind(head, dir / "f");
  ASSERT_TRUE(Succeeds(mapped));
  const auto all = [&] { return std::string((*mapped)->bytes().begin(), (*mapped)->bytes().end()); };
  std::string expected = "head";
  expected.resize(MappedFile::kBehindAlignment);
  expected += text + "end";
  EXPECT_EQ(all(), expected);
  // What is released comes back from the file; the head is nowhere else.
  (*mapped)->ReleasePages();
  EXPECT_EQ(all(), expected);
  for (size_t from : {size_t{0}, size_t{100}, size_t{MappedFile::kBehindAlignment + 1}}) {
    (*mapped)->ReleasePages((*mapped)->bytes().subspan(from));
    EXPECT_EQ(all(), expected) << from;
  }
  (*mapped)->ReleasePages(head);
  EXPECT_EQ(head[0], 'h');
  EXPECT_EQ(MappedFile::OpenBehind(head, dir / "none").status().code(), absl::StatusCode::kNotFound);
}

TEST(PublishFileTest, GivesTheFileAnotherName) {
  const TempDir dir;
  ASSERT_TRUE(Succeeds(WriteFileAtomically(dir / "made", "new", Durability::kScratch)));
  ASSERT_TRUE(Succeeds(WriteFileAtomically(dir / "out", "old")));
  ASSERT_TRUE(Succeeds(PublishFileAtomically(dir / "made", dir / "out")));
  EXPECT_EQ(*ReadFile(dir / "out", 100), "new");
  EXPECT_TRUE(std::filesystem::equivalent(dir / "made", dir / "out"));
  EXPECT_EQ(FilesIn(dir), 2u);
}

// Writing to the result must not write to something else.
TEST(PublishFileTest, CopiesWhatIsNotAloneOrNotAFile) {
  const TempDir dir;
  ASSERT_TRUE(Succeeds(WriteFileAtomically(dir / "made", "new")));
  std::filesystem::create_hard_link(dir / "made", dir / "other");
  std::filesystem::create_symlink(dir / "made", dir / "link");
  for (const char* name : {"made", "link"}) {
    ASSERT_TRUE(Succeeds(PublishFileAtomically(dir / name, dir / "out")));
    EXPECT_EQ(*ReadFile(dir / "out", 100), "new");
    EXPECT_FALSE(std::filesystem::equivalent(dir / "made", dir / "out")) << name;
    EXPECT_FALSE(std::filesystem::is_symlink(dir / "out")) << name;
  }
  EXPECT_EQ(FilesIn(dir), 4u);
  EXPECT_EQ(PublishFileAtomically(dir / "none", dir / "out").code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(PublishFileAtomically(dir / "made", dir / "none/out").code(), absl::StatusCode::kNotFound);
}

TEST(AtomicFileTest, ReplacesTheWholeFileAtCommit) {
  const TempDir dir;
  ASSERT_TRUE(Succeeds(WriteFileAtomically(dir / "f", "old")));
  auto file = AtomicFile::Create(dir / "f");
  ASSERT_TRUE(Succeeds(file));
  const uint8_t bytes[] = {'n', 'e', 'w'};
  ASSERT_TRUE(Succeeds((*file)->Append(bytes)));
  EXPECT_EQ(*ReadFile(dir / "f", 100), "old");
  ASSERT_TRUE(Succeeds((*file)->Commit()));
  EXPECT_EQ(*ReadFile(dir / "f", 100), "new");
  EXPECT_EQ(FilesIn(dir), 1u);
}

TEST(AtomicFileTest, LeavesNothingWithoutCommit) {
  const TempDir dir;
  { ASSERT_TRUE(Succeeds(AtomicFile::Create(dir / "f"))); }
  EXPECT_EQ(FilesIn(dir), 0u);
  EXPECT_EQ(AtomicFile::Create(dir / "none/f").status().code(), absl::StatusCode::kNotFound);
}

TEST(ReadFileTest, RefusesLargeFilesAndFolders) {
  const TempDir dir;
  ASSERT_TRUE(Succeeds(WriteFileAtomically(dir / "f", "12345")));
  EXPECT_EQ(*ReadFile(dir / "f", 5), "12345");
  EXPECT_TRUE(Fails(ReadFile(dir / "f", 4), absl::StatusCode::kInvalidArgument, "INVALID_ARGUMENT", "5 bytes"));
  EXPECT_EQ(ReadFile(dir.path(), 4).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReadFile(dir / "none", 4).status().code(), absl::StatusCode::kNotFound);
}

TEST(ErrnoToStatusTest, MapsWhatCallersTellApart) {
  EXPECT_EQ(ErrnoToStatus(ENOSPC, "cannot write", "f").code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ErrnoToStatus(EACCES, "cannot open", "f").code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(ErrnoToStatus(EEXIST, "cannot link", "f").code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(ErrnoToStatus(EIO, "cannot read", "f").code(), absl::StatusCode::kInternal);
  EXPECT_EQ(ErrnoToStatus(ENOENT, "cannot open", "f").message(), "cannot open 'f': No such file or directory");
}

// Pages that were let go of are read again.
TEST(MappedFileTest, ReadsTheSameAfterItsPagesWereReleased) {
  const TempDir dir;
  const std::string path = dir.path() + "/large";
  const std::string contents(100000, 'x');
  ASSERT_TRUE(WriteFileAtomically(path, contents).ok());
  const auto file = MappedFile::Open(path);
  ASSERT_TRUE(file.ok()) << file.status();
  for (int round = 0; round < 2; ++round) {
    const absl::Span<const uint8_t> bytes = (*file)->bytes();
    EXPECT_EQ(std::string(bytes.begin(), bytes.end()), contents);
    (*file)->ReleasePages();
  }
  ASSERT_TRUE(WriteFileAtomically(path, "").ok());
  (*MappedFile::Open(path))->ReleasePages();
}

}  // namespace
}  // namespace lathe
