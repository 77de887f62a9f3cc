#include "executor/provenance.h"

#include <gtest/gtest.h>
#include <zstd.h>

#include "common/digest.h"
#include "common/file.h"
#include "tests/support/shared_dir.h"

namespace lathe {
namespace {

TEST(DescribeFileTest, AgreesWithZstdInOneCall) {
  const TempDir folder;
  std::string content;
  for (unsigned i = 0; i < 300000; ++i) content += static_cast<char>((i * i) >> 7);
  ASSERT_TRUE(WriteFileAtomically(folder.path() + "/file", content).ok());
  const absl::StatusOr<FileReport> report = DescribeFile(folder.path() + "/file", true);
  ASSERT_TRUE(report.ok()) << report.status();
  std::string compressed(ZSTD_compressBound(content.size()), '\0');
  const size_t expected = ZSTD_compress(compressed.data(), compressed.size(), content.data(), content.size(), 3);
  EXPECT_EQ(report->bytes, content.size());
  EXPECT_EQ(report->sha256, HexDigest(content));
  // Frames differ by the size of a header field at most.
  EXPECT_NEAR(static_cast<double>(*report->zstd_bytes), static_cast<double>(expected), 16);
}

TEST(DescribeFileTest, LeavesTheCompressedSizeOut) {
  const TempDir folder;
  ASSERT_TRUE(WriteFileAtomically(folder.path() + "/file", "abc").ok());
  EXPECT_FALSE(DescribeFile(folder.path() + "/file", false)->zstd_bytes.has_value());
  EXPECT_FALSE(DescribeFile(folder.path() + "/missing", false).ok());
}

TEST(StepTimerTest, EndsEachStepOnce) {
  std::vector<Timing> timings;
  StepTimer timer(timings);
  timer.Begin("a");
  timer.Begin("b");
  timer.End();
  timer.End();
  ASSERT_EQ(timings.size(), 2u);
  EXPECT_EQ(timings[0].step, "a");
  EXPECT_GE(timings[0].seconds, 0);
}

}  // namespace
}  // namespace lathe
