#include "runtime/npz_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/runtime/npz_writer.h"
#include "tests/support/shared_dir.h"

namespace lathe {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kTotalMax = 64 << 20;

class NpzFileTest : public ::testing::Test {
 protected:
  std::string Path() const { return dir_.path() + "/data.npz"; }
  std::string Error() const {
    const auto file = NpzFile::Open(Path(), kTotalMax);
    if (file.ok()) return "";
    EXPECT_EQ(file.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(ReasonOf(file.status()), "DATA_INVALID");
    EXPECT_THAT(std::string(file.status().message()), HasSubstr("'data.npz'"));
    return std::string(file.status().message());
  }
  TempDir dir_;
};

std::vector<float> Counting(size_t count) {
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i) values[i] = static_cast<float>(i);
  return values;
}

TEST_F(NpzFileTest, StreamsStoredAndDeflatedArrays) {
  const std::vector<float> values = Counting(1000);
  for (bool deflate : {false, true}) {
    WriteNpz(Path(), {{"a.npy", Npy("<f4", "(1000,)", Bytes(values))}, {"b.npy", Npy("|u1", "(3,)", "xyz")}}, deflate);
    auto file = NpzFile::Open(Path(), kTotalMax);
    ASSERT_TRUE(file.ok()) << file.status();
    ASSERT_EQ((*file)->arrays().size(), 2u);
    EXPECT_EQ((*file)->arrays()[1].name, "b");
    auto stream = (*file)->OpenArray(0);
    ASSERT_TRUE(stream.ok()) << stream.status();
    std::vector<float> read(1000);
    const absl::Span<uint8_t> bytes(reinterpret_cast<uint8_t*>(read.data()), 4000);
    ASSERT_TRUE((*stream)->Read(bytes.first(1234)).ok());
    ASSERT_TRUE((*stream)->Read(bytes.subspan(1234)).ok());
    EXPECT_EQ(read, values);
    EXPECT_FALSE((*stream)->Read(bytes.first(1)).ok());
  }
}

TEST_F(NpzFileTest, SkipsInStoredAndDeflatedArrays) {
  const std::string content = Npy("<f4", "(1000,)", Bytes(Counting(1000)));
  const auto check = [&] {
    auto file = NpzFile::Open(Path(), kTotalMax);
    ASSERT_TRUE(file.ok()) << file.status();
    auto stream = (*file)->OpenArray(0);
    float value = 0;
    const absl::Span<uint8_t> bytes(reinterpret_cast<uint8_t*>(&value), sizeof(value));
    ASSERT_TRUE((*stream)->Skip(400).ok());
    ASSERT_TRUE((*stream)->Read(bytes).ok());
    EXPECT_EQ(value, 100);
    ASSERT_TRUE((*stream)->Skip(3592).ok());
    ASSERT_TRUE((*stream)->Read(bytes).ok());
    EXPECT_EQ(value, 999);
    EXPECT_FALSE((*stream)->Read(bytes).ok());
  };
  for (bool deflate : {false, true}) {
    WriteNpz(Path(), {{"a.npy", content}}, deflate);
    check();
  }
  WriteBytes(Path(), content);
  check();
}

TEST_F(NpzFileTest, ReadsPlainNpy) {
  WriteBytes(Path(), Npy("<f4", "(2,)", Bytes<float>({1, 2})));
  const auto file = NpzFile::Open(Path(), kTotalMax);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ((*file)->arrays()[0].name, "");
}

TEST_F(NpzFileTest, NamesAFileThatIsNotThere) {
  EXPECT_EQ(NpzFile::Open(Path(), kTotalMax).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(NpzFileTest, RefusesOtherFiles) {
  WriteBytes(Path(), "");
  EXPECT_THAT(Error(), HasSubstr("not a .npz, .npy, Parquet or Arrow"));
  WriteBytes(Path(), "\x89PNG\r\n\x1a\n and so on");
  EXPECT_THAT(Error(), HasSubstr("numpy.savez"));
  WriteBytes(Path(), "PK\x03\x04 and then nothing that is a zip");
  EXPECT_THAT(Error(), HasSubstr("cannot be read"));
}

TEST_F(NpzFileTest, RefusesHeaderThatDeclaresMoreThanTheFileHas) {
  WriteNpz(Path(), {{"a.npy", Npy("<f4", "(10,)", Bytes(Counting(9)))}});
  EXPECT_THAT(Error(), HasSubstr("declares 40 bytes of data, the file has 36"));
  WriteNpz(Path(), {{"a.npy", Npy("<f4", "(1048576, 1048576)", "")}});
  EXPECT_THAT(Error(), HasSubstr("at most 67108864"));
  WriteBytes(Path(), Npy("<f4", "(10,)", "abc"));
  EXPECT_THAT(Error(), HasSubstr("the file has 3"));
}

TEST_F(NpzFileTest, RefusesBombs) {
  const std::string zeros(32 << 20, '\0');
  WriteNpz(Path(), {{"a.npy", Npy("|u1", "(33554432,)", zeros)}}, /*deflate=*/true);
  EXPECT_THAT(Error(), HasSubstr("100 : 1"));
  WriteNpz(Path(), {{"a.npy", Npy("|u1", "(33554432,)", zeros)}, {"b.npy", Npy("|u1", "(33554432,)", zeros)}});
  EXPECT_THAT(Error(), HasSubstr("more than 67108864 bytes"));
}

TEST_F(NpzFileTest, RefusesPathsAndTooManyMembers) {
  WriteNpz(Path(), {{"../a.npy", Npy("|u1", "(1,)", "x")}});
  EXPECT_THAT(Error(), HasSubstr("path"));
  std::vector<std::pair<std::string, std::string>> many;
  for (int i = 0; i < 1001; ++i) many.emplace_back("a" + std::to_string(i) + ".npy", Npy("|u1", "(1,)", "x"));
  WriteNpz(Path(), many);
  EXPECT_THAT(Error(), HasSubstr("1001 members"));
}

TEST_F(NpzFileTest, IgnoresMembersThatAreNoArrays) {
  WriteNpz(Path(), {{"readme.txt", "hello"}, {"a.npy", Npy("|u1", "(1,)", "x")}});
  const auto file = NpzFile::Open(Path(), kTotalMax);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ((*file)->ignored(), std::vector<std::string>{"readme.txt"});
}

// Cut anywhere, or with any bit flipped, the file is refused or read; nothing crashes and no stream gives more.
TEST_F(NpzFileTest, SurvivesTruncationAndBitFlips) {
  WriteNpz(Path(), {{"a.npy", Npy("<f4", "(50,)", Bytes(Counting(50)))}}, /*deflate=*/true);
  const std::string whole = ReadBytes(Path());
  const auto read_all = [&] {
    auto file = NpzFile::Open(Path(), kTotalMax);
    if (!file.ok()) return;
    for (size_t i = 0; i < (*file)->arrays().size(); ++i) {
      auto stream = (*file)->OpenArray(i);
      if (!stream.ok()) continue;
      std::vector<uint8_t> bytes((*file)->arrays()[i].header.data_bytes);
      (*stream)->Read(absl::MakeSpan(bytes)).IgnoreError();
    }
  };
  for (size_t size = 0; size < whole.size(); ++size) {
    WriteBytes(Path(), whole.substr(0, size));
    EXPECT_FALSE(NpzFile::Open(Path(), kTotalMax).ok()) << size;
  }
  for (size_t i = 0; i < whole.size(); ++i) {
    std::string broken = whole;
    broken[i] = static_cast<char>(broken[i] ^ (1 << (i % 8)));
    WriteBytes(Path(), broken);
    read_all();
  }
}

}  // namespace
}  // namespace lathe
