#include "runtime/data_file.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <string_view>
#include <utility>

#include "common/file.h"
#include "runtime/arrow_library.h"
#include "runtime/npz_file.h"

namespace lathe {

namespace {

class NpzColumnReader : public ColumnReader {
 public:
  NpzColumnReader(std::unique_ptr<ArrayStream> stream, size_t row_bytes)
      : stream_(std::move(stream)), row_bytes_(row_bytes) {}
  absl::Status Read(std::vector<uint8_t>* value) override {
    value->resize(row_bytes_);
    return stream_->Read(absl::MakeSpan(*value));
  }
  absl::Status Skip(uint64_t count) override { return stream_->Skip(count * row_bytes_); }

 private:
  std::unique_ptr<ArrayStream> stream_;
  const size_t row_bytes_;
};

class NpzDataFile : public DataFile {
 public:
  explicit NpzDataFile(std::unique_ptr<NpzFile> file) : file_(std::move(file)) {
    for (const NpzFile::Array& array : file_->arrays()) {
      DataColumn& column = columns_.emplace_back();
      column.name = array.name;
      column.type = array.header.type;
      column.shape = array.header.shape;
    }
    for (const std::string& name : file_->ignored()) ignored_.push_back(absl::StrFormat("'%s' is no array", name));
  }
  absl::StatusOr<std::unique_ptr<ColumnReader>> OpenColumn(size_t index) override {
    LATHE_ASSIGN_OR_RETURN(std::unique_ptr<ArrayStream> stream, file_->OpenArray(index));
    return std::unique_ptr<ColumnReader>(
        std::make_unique<NpzColumnReader>(std::move(stream), columns_[index].RowBytes()));
  }

 private:
  std::unique_ptr<NpzFile> file_;
};

// Parquet, encrypted Parquet, an Arrow file, an Arrow stream (whose messages begin with a continuation mark).
bool IsArrowData(std::string_view start) {
  constexpr std::string_view kMagics[] = {"PAR1", "PARE", "ARROW1", "\xff\xff\xff\xff"};
  return std::any_of(std::begin(kMagics), std::end(kMagics),
                     [&](std::string_view magic) { return start.substr(0, magic.size()) == magic; });
}

}  // namespace

absl::StatusOr<std::unique_ptr<DataFile>> DataFile::Open(const std::string& path, uint64_t total_bytes_max) {
  std::ifstream probe(path, std::ios::binary);
  if (!probe) return ErrnoToStatus(errno, "cannot open data file", path);
  char start[8] = {};
  probe.read(start, sizeof(start));
  if (IsArrowData(std::string_view(start, static_cast<size_t>(probe.gcount())))) {
    absl::StatusOr<std::unique_ptr<DataFile>> file = OpenWithArrow(path, total_bytes_max);
    if (file.ok()) return file;
    return Annotate(file.status(), absl::StrFormat("data file '%s'", path.substr(path.rfind('/') + 1)));
  }
  LATHE_ASSIGN_OR_RETURN(std::unique_ptr<NpzFile> file, NpzFile::Open(path, total_bytes_max));
  return std::unique_ptr<DataFile>(std::make_unique<NpzDataFile>(std::move(file)));
}

}  // namespace lathe
