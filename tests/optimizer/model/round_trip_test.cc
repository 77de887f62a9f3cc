// model_reader.cc and model_writer.cc together, on real models.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>

#include "optimizer/model/dump.h"
#include "optimizer/model/model_reader.h"
#include "optimizer/model/model_writer.h"
#include "tests/support/shared_dir.h"

namespace lathe {
namespace {

absl::Span<const uint8_t> AsBytes(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// Reads the file, writes it and reads it again with `options`; both must say the same.
void ExpectSameAfterRoundTrip(const std::string& path, const WriterOptions& options) {
  auto file = MappedFile::Open(path);
  ASSERT_TRUE(file.ok()) << file.status();
  const auto model = ReadModel(*file);
  ASSERT_TRUE(model.ok()) << path << ": " << model.status();
  const auto written = SerializeModel(*model, options);
  ASSERT_TRUE(written.ok()) << written.status();
  const auto again = ReadModelFromBytes(AsBytes(*written));
  ASSERT_TRUE(again.ok()) << path << ": " << again.status();
  EXPECT_EQ(DumpModel(*model), DumpModel(*again)) << path;
  const auto third = SerializeModel(*again, options);
  ASSERT_TRUE(third.ok());
  EXPECT_TRUE(*written == *third) << path << ": writing what was written changes bytes";
}

TEST(RoundTripTest, EverySharedModelKeepsItsDump) {
  LATHE_SKIP_WITHOUT_SHARED();
  for (const std::string& path : SharedModels()) ExpectSameAfterRoundTrip(path, {});
}

TEST(RoundTripTest, EverySharedModelKeepsItsDumpWithBuffersOutside) {
  LATHE_SKIP_WITHOUT_SHARED();
  for (const std::string& path : SharedModels()) ExpectSameAfterRoundTrip(path, {.inline_bytes_max = 1000});
}

TEST(RoundTripTest, WrittenFileIsNotMuchLargerThanItsSource) {
  LATHE_SKIP_WITHOUT_SHARED();
  for (const std::string& path : SharedModels()) {
    const auto model = ReadModel(*MappedFile::Open(path));
    ASSERT_TRUE(model.ok());
    const uint64_t before = std::filesystem::file_size(path);
    const uint64_t after = SerializeModel(*model)->size();
    EXPECT_LT(after, before + before / 20 + 4096) << path;
  }
}

}  // namespace
}  // namespace lathe
