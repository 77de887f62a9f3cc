#include "common/digest.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "common/file.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace lathe {
namespace {

// FIPS 180-4 examples.
constexpr char kOfNothing[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr char kOfAbc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST(DigestTest, KnowsPublishedDigests) {
  EXPECT_EQ(HexDigest(std::string_view()), kOfNothing);
  EXPECT_EQ(HexDigest(std::string_view("abc")), kOfAbc);
}

TEST(DigestTest, TakesBytesInPieces) {
  Sha256 sha;
  sha.Update("a");
  Sha256 moved = std::move(sha);
  moved.Update("");
  moved.Update("bc");
  EXPECT_EQ(HexDigest(moved.Finish()), kOfAbc);
}

TEST(DigestTest, ReadsFiles) {
  const TempDir dir;
  ASSERT_TRUE(Succeeds(WriteFileAtomically(dir / "f", "abc")));
  const auto digest = Sha256File(dir / "f");
  ASSERT_TRUE(Succeeds(digest));
  EXPECT_EQ(HexDigest(*digest), kOfAbc);
  EXPECT_EQ(Sha256File(dir / "none").status().code(), absl::StatusCode::kNotFound);
}

TEST(DigestTest, ParsesOnlyItsOwnForm) {
  const auto digest = ParseHexDigest(kOfAbc);
  ASSERT_TRUE(Succeeds(digest));
  EXPECT_EQ(HexDigest(*digest), kOfAbc);
  std::string upper = kOfAbc;
  upper[0] = 'B';
  for (const std::string& bad : {std::string(), std::string("abc"), upper, absl::StrCat(kOfAbc, "0")}) {
    EXPECT_TRUE(Fails(ParseHexDigest(bad), absl::StatusCode::kInvalidArgument, "BAD_DIGEST", "64")) << bad;
  }
}

}  // namespace
}  // namespace lathe
