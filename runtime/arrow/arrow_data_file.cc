#include "runtime/arrow/arrow_data_file.h"

#include <fstream>
#include <limits>
#include <set>
#include <string_view>
#include <utility>

#include "runtime/arrow/arrow_plugin.h"
#include "runtime/arrow/arrow_status.h"
#include "runtime/arrow/ipc_data_file.h"
#include "runtime/arrow/parquet_data_file.h"

namespace lathe {

namespace {

constexpr int kColumnsMax = 1000;
constexpr int64_t kRowsMax = std::numeric_limits<int32_t>::max();

class ChunkedReader : public ColumnReader {
 public:
  ChunkedReader(std::unique_ptr<ArrowChunks> chunks, const ArrowColumn& column)
      : chunks_(std::move(chunks)), column_(column) {}

  absl::Status Read(std::vector<uint8_t>* value) override {
    LATHE_RETURN_IF_ERROR(FindChunk());
    LATHE_RETURN_IF_ERROR(CopyRow(*chunk_, row_, column_, value));
    ++row_;
    chunks_->Consumed(value->size());
    return absl::OkStatus();
  }
  absl::Status Skip(uint64_t count) override {
    while (count > 0) {
      LATHE_RETURN_IF_ERROR(FindChunk());
      const uint64_t here = std::min(count, static_cast<uint64_t>(chunk_->length() - row_));
      row_ += static_cast<int64_t>(here);
      count -= here;
    }
    return absl::OkStatus();
  }

 private:
  // Makes chunk_ a piece that has a row at row_.
  absl::Status FindChunk() {
    while (chunk_ == nullptr || row_ == chunk_->length()) {
      chunk_ = nullptr;  // its memory is free for the next one
      row_ = 0;
      LATHE_ASSIGN_OR_RETURN(chunk_, chunks_->Next());
      if (chunk_ == nullptr) return InvalidData("the file has fewer rows than it declares");
    }
    return absl::OkStatus();
  }

  std::unique_ptr<ArrowChunks> chunks_;
  const ArrowColumn& column_;
  std::shared_ptr<arrow::Array> chunk_;
  int64_t row_ = 0;
};

absl::StatusOr<std::unique_ptr<DataFile>> OpenByContents(const std::string& path, uint64_t total_bytes_max) {
  std::ifstream file(path, std::ios::binary);
  char magic[6] = {};
  file.read(magic, sizeof(magic));
  const std::string_view start(magic, sizeof(magic));
  if (start.substr(0, 3) == "PAR") return OpenParquetFile(path, total_bytes_max);
  return OpenIpcFile(path, start == "ARROW1", total_bytes_max);
}

}  // namespace

// The system's allocator gives large pieces back to the system, so that the figure of memory is what is in use.
ArrowDataFile::ArrowDataFile() : pool_(arrow::system_memory_pool(), kArrowMemoryBytesMax) {}

absl::Status ArrowDataFile::Describe(const arrow::Schema& schema, int64_t rows, uint64_t total_bytes_max) {
  if (schema.num_fields() > kColumnsMax) {
    return InvalidData(absl::StrFormat("the table has %d columns; at most %d are accepted: keep the model's inputs",
                                       schema.num_fields(), kColumnsMax));
  }
  if (rows < 0 || rows > kRowsMax) {
    return InvalidData(absl::StrFormat("the table declares %d rows; at most %d are accepted", rows, kRowsMax));
  }
  std::set<std::string> names;
  for (const std::shared_ptr<arrow::Field>& field : schema.fields()) {
    described_.push_back(DescribeField(*field, rows));
    const std::string& name = described_.back().column.name;
    if (!names.insert(name).second) return InvalidData(absl::StrFormat("column '%s' comes twice in the table", name));
  }
  uint64_t total = 0;
  for (size_t c = 0; c < described_.size(); ++c) {
    if (rows > 0 && described_[c].NeedsFirstRow()) {
      if (const absl::Status status = LookAtFirstRow(c); !status.ok()) {
        described_[c].column.problem = std::string(status.message());
      }
    }
    columns_.push_back(described_[c].column);
    if (!columns_[c].problem.empty() || columns_[c].encoded) continue;
    const uint64_t row_bytes = columns_[c].RowBytes();
    // A few bytes can stand for any number of equal rows, so the declared size counts, not the file's.
    if (row_bytes > 0 && columns_[c].rows() > (total_bytes_max - total) / row_bytes) {
      return InvalidData(
          absl::StrFormat("the columns unpack to more than %d bytes; keep fewer samples", total_bytes_max));
    }
    total += columns_[c].rows() * row_bytes;
  }
  return absl::OkStatus();
}

absl::Status ArrowDataFile::LookAtFirstRow(size_t column) {
  LATHE_ASSIGN_OR_RETURN(const std::unique_ptr<ArrowChunks> chunks, OpenChunks(column));
  while (true) {
    LATHE_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::Array> chunk, chunks->Next());
    if (chunk == nullptr) return InvalidData("the file has fewer rows than it declares");
    if (chunk->length() > 0) return DescribeFirstRow(*chunk, &described_[column]);
  }
}

absl::StatusOr<std::unique_ptr<ColumnReader>> ArrowDataFile::OpenColumn(size_t index) {
  LATHE_ASSIGN_OR_RETURN(std::unique_ptr<ArrowChunks> chunks, OpenChunks(index));
  return std::unique_ptr<ColumnReader>(std::make_unique<ChunkedReader>(std::move(chunks), described_[index]));
}

}  // namespace lathe

extern "C" __attribute__((visibility("default"))) absl::Status LatheOpenArrowDataFile(
    const char* path, uint64_t total_bytes_max, std::unique_ptr<lathe::DataFile>* file) {
  LATHE_ASSIGN_OR_RETURN(*file, lathe::OpenByContents(path, total_bytes_max));
  return absl::OkStatus();
}
