#include "runtime/data_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <numeric>

#include "runtime/value_conversion.h"
#include "tests/runtime/arrow_writer.h"
#include "tests/runtime/npz_writer.h"
#include "tests/support/shared_dir.h"

namespace lathe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr uint64_t kBytesMax = uint64_t{4} << 30;

std::string Text(const absl::Status& status) { return std::string(status.message()); }

class DataFileTest : public ::testing::Test {
 protected:
  std::string Path() const { return dir_.path() + "/data.bin"; }
  std::unique_ptr<DataFile> Open() const {
    auto file = DataFile::Open(Path(), kBytesMax);
    EXPECT_TRUE(file.ok()) << file.status();
    return file.ok() ? *std::move(file) : nullptr;
  }
  std::string OpenError(uint64_t bytes_max = kBytesMax) const {
    const auto file = DataFile::Open(Path(), bytes_max);
    if (file.ok()) return "";
    EXPECT_EQ(ReasonOf(file.status()), "DATA_INVALID");
    EXPECT_THAT(Text(file.status()), HasSubstr("data file 'data.bin'"));
    return Text(file.status());
  }
  // The first error of reading all of column 0.
  std::string ReadError() const {
    const auto file = Open();
    if (file == nullptr) return "cannot be opened";
    auto reader = file->OpenColumn(0);
    if (!reader.ok()) return Text(reader.status());
    std::vector<uint8_t> value;
    for (uint64_t row = 0; row < file->columns()[0].rows(); ++row) {
      if (const absl::Status status = (*reader)->Read(&value); !status.ok()) {
        EXPECT_EQ(ReasonOf(status), "DATA_INVALID");
        return Text(status);
      }
    }
    return "";
  }
  TempDir dir_;
};

template <typename T>
std::vector<double> Values(DataFile& file, size_t column, uint64_t row) {
  auto reader = file.OpenColumn(column);
  EXPECT_TRUE(reader.ok()) << reader.status();
  EXPECT_TRUE((*reader)->Skip(row).ok());
  std::vector<uint8_t> value;
  const absl::Status status = (*reader)->Read(&value);
  EXPECT_TRUE(status.ok()) << status;
  std::vector<double> values;
  for (size_t i = 0; i + sizeof(T) <= value.size(); i += sizeof(T)) {
    T element;
    memcpy(&element, value.data() + i, sizeof(T));
    values.push_back(static_cast<double>(element));
  }
  return values;
}

class EveryArrowFormatTest : public DataFileTest, public ::testing::WithParamInterface<std::tuple<ArrowFormat, bool>> {
 protected:
  void Write(const ArrowColumns& columns) const {
    WriteArrow(Path(), std::get<0>(GetParam()), columns, std::get<1>(GetParam()));
  }
};

TEST_P(EveryArrowFormatTest, ReadsNumbersListsAndTensors) {
  const auto lists = ArrowArray(arrow::fixed_size_list(arrow::int16(), 4), "[[1, 2, 3, 4], [5, 6, 7, 8]]");
  Write({{"scalar", ArrowArray(arrow::uint8(), "[7, 8]")},
         {"fixed", lists},
         {"list", ArrowArray(arrow::list(arrow::float64()), "[[0.5, 1], [2, 3]]")},
         {"nested", ArrowArray(arrow::list(arrow::large_list(arrow::int64())), "[[[1], [2]], [[3], [4]]]")},
         {"tensor", ArrowTensor(lists, {2, 2})},
         {"flag", ArrowArray(arrow::boolean(), "[true, false]")}});
  const auto file = Open();
  ASSERT_NE(file, nullptr);
  ASSERT_EQ(file->columns().size(), 6u);
  const auto shape = [&](size_t column) { return file->columns()[column].shape; };
  EXPECT_THAT(shape(0), ElementsAre(2));
  EXPECT_THAT(shape(1), ElementsAre(2, 4));
  EXPECT_THAT(shape(2), ElementsAre(2, 2));
  EXPECT_THAT(shape(3), ElementsAre(2, 2, 1));
  EXPECT_THAT(shape(4), ElementsAre(2, 2, 2));
  EXPECT_EQ(file->columns()[1].type, NpyType::kInt16);
  EXPECT_EQ(file->columns()[1].name, "fixed");
  EXPECT_THAT(Values<uint8_t>(*file, 0, 1), ElementsAre(8));
  EXPECT_THAT(Values<int16_t>(*file, 1, 1), ElementsAre(5, 6, 7, 8));
  EXPECT_THAT(Values<double>(*file, 2, 0), ElementsAre(0.5, 1));
  EXPECT_THAT(Values<int64_t>(*file, 3, 1), ElementsAre(3, 4));
  EXPECT_THAT(Values<int16_t>(*file, 4, 1), ElementsAre(5, 6, 7, 8));
  EXPECT_THAT(Values<uint8_t>(*file, 5, 0), ElementsAre(1));
}

TEST_P(EveryArrowFormatTest, ReadsEncodedFilesOfAnyLength) {
  Write({{"image", ArrowBinary({"first", "", "the third"})}, {"struct", ArrowImageStructs({"a", "bc", "def"})}});
  const auto file = Open();
  ASSERT_NE(file, nullptr);
  EXPECT_TRUE(file->columns()[0].encoded);
  EXPECT_TRUE(file->columns()[1].encoded);
  EXPECT_EQ(Values<char>(*file, 0, 2).size(), 9u);
  EXPECT_THAT(Values<char>(*file, 1, 1), ElementsAre('b', 'c'));
}

TEST_P(EveryArrowFormatTest, SaysWhyAColumnCannotBeRead) {
  Write({{"text", ArrowArray(arrow::utf8(), R"(["a", "b"])")}});
  const auto file = Open();
  ASSERT_NE(file, nullptr);
  EXPECT_THAT(file->columns()[0].problem,
              HasSubstr("expected numbers, lists of numbers or encoded images, found string"));
}

TEST_P(EveryArrowFormatTest, RefusesNullsAndRaggedLists) {
  Write({{"x", ArrowArray(arrow::int32(), "[1, null]")}});
  EXPECT_THAT(ReadError(), HasSubstr("the value is null"));
  Write({{"x", ArrowArray(arrow::list(arrow::int32()), "[[1, 2], [3, null]]")}});
  EXPECT_THAT(ReadError(), HasSubstr("element 1 is null"));
  Write({{"x", ArrowArray(arrow::list(arrow::int32()), "[[1, 2], [3]]")}});
  EXPECT_THAT(ReadError(), HasSubstr("a list has 1 elements, in the first sample it has 2"));
  Write({{"x", ArrowArray(arrow::list(arrow::int32()), "[null, [3]]")}});
  EXPECT_THAT(Open()->columns()[0].problem, HasSubstr("sample 0 is null"));
}

TEST_P(EveryArrowFormatTest, RefusesATableThatUnpacksToTooMuch) {
  Write({{"x", ArrowRows({1, 2, 3, 4}, 100)}});
  EXPECT_THAT(OpenError(1599), HasSubstr("unpack to more than 1599 bytes"));
  EXPECT_EQ(OpenError(1600), "");
}

TEST_P(EveryArrowFormatTest, RefusesTwoColumnsOfOneName) {
  Write({{"x", ArrowArray(arrow::int32(), "[1]")}, {"x", ArrowArray(arrow::int32(), "[1]")}});
  EXPECT_THAT(OpenError(), HasSubstr("column 'x' comes twice"));
}

TEST_P(EveryArrowFormatTest, RefusesTruncatedFiles) {
  Write({{"x", ArrowRows({1, 2, 3, 4}, 1000)}});
  const std::string whole = ReadBytes(Path());
  for (size_t keep : {size_t{9}, whole.size() / 2, whole.size() - 20}) {
    WriteBytes(Path(), whole.substr(0, keep));
    const auto file = DataFile::Open(Path(), kBytesMax);
    // A stream may end after any batch; its rows are then what is there.
    if (file.ok()) continue;
    EXPECT_EQ(ReasonOf(file.status()), "DATA_INVALID") << keep;
    EXPECT_THAT(Text(file.status()), HasSubstr("the file is damaged or cannot be read")) << keep;
  }
}

// Every byte of a small file, one after the other, is damaged: an error or other numbers, never a crash.
TEST_P(EveryArrowFormatTest, SurvivesDamageAnywhere) {
  Write({{"x", ArrowArray(arrow::list(arrow::int32()), "[[1, 2], [3, 4], [5, 6]]")},
         {"image", ArrowBinary({"first", "second", "third"})}});
  const std::string whole = ReadBytes(Path());
  int refused = 0;
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ (at % 2 == 0 ? 0xff : 0x10));
    WriteBytes(Path(), damaged);
    const auto file = DataFile::Open(Path(), kBytesMax);
    refused += !file.ok();
    if (!file.ok()) continue;
    for (size_t column = 0; column < (*file)->columns().size(); ++column) {
      if (!(*file)->columns()[column].problem.empty()) continue;
      auto reader = (*file)->OpenColumn(column);
      std::vector<uint8_t> value;
      for (uint64_t row = 0; reader.ok() && row < (*file)->columns()[column].rows(); ++row) {
        if (!(*reader)->Read(&value).ok()) break;
      }
    }
  }
  EXPECT_GT(refused, 10);
}

INSTANTIATE_TEST_SUITE_P(All, EveryArrowFormatTest,
                         ::testing::Combine(::testing::Values(ArrowFormat::kParquet, ArrowFormat::kIpcFile,
                                                              ArrowFormat::kIpcStream),
                                            ::testing::Bool()));

TEST_F(DataFileTest, ReadsAParquetRowGroupPieceByPiece) {
  std::vector<float> row(1000);
  std::iota(row.begin(), row.end(), 0.f);
  WriteArrow(Path(), ArrowFormat::kParquet, {{"x", ArrowRows(row, 3000)}});  // several batches
  const auto file = Open();
  ASSERT_NE(file, nullptr);
  auto reader = file->OpenColumn(0);
  ASSERT_TRUE(reader.ok()) << reader.status();
  std::vector<uint8_t> value;
  for (int i = 0; i < 3000; ++i) {
    ASSERT_TRUE((*reader)->Read(&value).ok());
    ASSERT_EQ(memcmp(value.data(), row.data(), value.size()), 0) << i;
  }
  EXPECT_THAT(Text((*reader)->Read(&value)), HasSubstr("fewer rows than it declares"));
}

TEST_F(DataFileTest, FindsACorruptParquetPage) {
  WriteArrow(Path(), ArrowFormat::kParquet, {{"x", ArrowRows({1, 2, 3, 4}, 1000)}});
  std::string bytes = ReadBytes(Path());
  bytes[bytes.size() / 4] = static_cast<char>(~bytes[bytes.size() / 4]);  // within the first pages
  WriteBytes(Path(), bytes);
  EXPECT_THAT(ReadError(), HasSubstr("the file is damaged or cannot be read"));
}

TEST_F(DataFileTest, RefusesEncryptedParquet) {
  WriteBytes(Path(), "PARE" + std::string(100, 'x') + std::string("\x10\0\0\0PARE", 8));
  EXPECT_THAT(OpenError(), HasSubstr("the file is encrypted"));
}

TEST_F(DataFileTest, RefusesWhatIsNoDataFile) {
  WriteBytes(Path(), "hello, world");
  EXPECT_THAT(OpenError(), HasSubstr("not a .npz, .npy, Parquet or Arrow IPC file"));
  WriteBytes(Path(), "");
  EXPECT_THAT(OpenError(), HasSubstr("not a .npz, .npy, Parquet or Arrow IPC file"));
  EXPECT_EQ(DataFile::Open(dir_.path() + "/missing", kBytesMax).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(DataFileTest, SharedFilesOfEveryFormatHoldTheSame) {
  LATHE_SKIP_WITHOUT_SHARED();
  for (const char* ending : {"parquet", "arrow"}) {
    auto table = DataFile::Open(SharedDir() + "/data/fashion/test." + ending, kBytesMax);
    auto npz = DataFile::Open(SharedDir() + "/data/fashion/test.npz", kBytesMax);
    ASSERT_TRUE(table.ok()) << table.status();
    ASSERT_TRUE(npz.ok()) << npz.status();
    for (const DataColumn& column : (*npz)->columns()) {
      const size_t a = static_cast<size_t>(&column - (*npz)->columns().data());
      size_t b = 0;
      while ((*table)->columns()[b].name != column.name) ++b;
      EXPECT_EQ((*table)->columns()[b].rows(), column.rows());
      auto left = (*npz)->OpenColumn(a), right = (*table)->OpenColumn(b);
      std::vector<uint8_t> expected, found;
      for (uint64_t row = 0; row < column.rows(); ++row) {
        ASSERT_TRUE((*left)->Read(&expected).ok());
        ASSERT_TRUE((*right)->Read(&found).ok());
        ASSERT_EQ(NumberAt(column.type, expected, 0), NumberAt((*table)->columns()[b].type, found, 0)) << row;
        if (SizeOf(column.type) == 1) {
          ASSERT_EQ(expected, found) << row;
        }
      }
    }
  }
}

}  // namespace
}  // namespace lathe
