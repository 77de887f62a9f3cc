#include "runtime/data_file.h"

#include <utility>

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
  absl::Status Skip(uint64_t count) override {
    for (; count > 0; --count) LATHE_RETURN_IF_ERROR(Read(&skipped_));
    return absl::OkStatus();
  }

 private:
  std::unique_ptr<ArrayStream> stream_;
  const size_t row_bytes_;
  std::vector<uint8_t> skipped_;
};

class NpzDataFile : public DataFile {
 public:
  explicit NpzDataFile(std::unique_ptr<NpzFile> file) : file_(std::move(file)) {
    for (const NpzFile::Array& array : file_->arrays()) {
      columns_.push_back({array.name, array.header.type, array.header.shape});
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

}  // namespace

uint64_t DataColumn::RowElements() const {
  uint64_t elements = shape.empty() ? 0 : 1;
  for (size_t axis = 1; axis < shape.size(); ++axis) elements *= static_cast<uint64_t>(shape[axis]);
  return elements;
}

absl::StatusOr<std::unique_ptr<DataFile>> DataFile::Open(const std::string& path, uint64_t total_bytes_max) {
  LATHE_ASSIGN_OR_RETURN(std::unique_ptr<NpzFile> file, NpzFile::Open(path, total_bytes_max));
  return std::unique_ptr<DataFile>(std::make_unique<NpzDataFile>(std::move(file)));
}

}  // namespace lathe
