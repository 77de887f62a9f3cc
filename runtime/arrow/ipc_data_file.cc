#include "runtime/arrow/ipc_data_file.h"

#include <arrow/buffer.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/options.h>
#include <arrow/ipc/reader.h>
#include <arrow/record_batch.h>

#include <utility>

#include "common/file.h"
#include "runtime/arrow/arrow_data_file.h"
#include "runtime/arrow/arrow_status.h"

namespace lathe {

namespace {

// How much may be read before the pages of the mapped file are let go.
constexpr uint64_t kReleaseBytes = uint64_t{64} << 20;

class IpcChunks : public ArrowChunks {
 public:
  IpcChunks(std::shared_ptr<const MappedFile> file, std::shared_ptr<arrow::ipc::RecordBatchFileReader> reader)
      : file_(std::move(file)), file_reader_(std::move(reader)) {}
  IpcChunks(std::shared_ptr<const MappedFile> file, std::shared_ptr<arrow::RecordBatchReader> reader)
      : file_(std::move(file)), stream_reader_(std::move(reader)) {}

  absl::StatusOr<std::shared_ptr<arrow::Array>> Next() override {
    LATHE_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::RecordBatch> batch, NextBatch());
    if (batch == nullptr) return nullptr;
    // Offsets come from the file and are not checked before this.
    LATHE_RETURN_IF_ERROR(FromArrow(batch->ValidateFull()));
    return batch->column(0);
  }

  void Consumed(uint64_t bytes) override {
    consumed_ += bytes;
    if (consumed_ < kReleaseBytes) return;
    file_->ReleasePages();
    consumed_ = 0;
  }

 private:
  absl::StatusOr<std::shared_ptr<arrow::RecordBatch>> NextBatch() {
    if (stream_reader_ != nullptr) return GuardArrow([&] { return stream_reader_->Next(); });
    if (next_ == file_reader_->num_record_batches()) return nullptr;
    return GuardArrow([&] { return file_reader_->ReadRecordBatch(next_++); });
  }

  std::shared_ptr<const MappedFile> file_;
  std::shared_ptr<arrow::ipc::RecordBatchFileReader> file_reader_;  // of a file with a footer, else null
  std::shared_ptr<arrow::RecordBatchReader> stream_reader_;
  int next_ = 0;
  uint64_t consumed_ = 0;
};

class IpcDataFile : public ArrowDataFile {
 public:
  static absl::StatusOr<std::unique_ptr<DataFile>> Open(const std::string& path, bool has_footer,
                                                        uint64_t total_bytes_max) {
    auto file = std::make_unique<IpcDataFile>();
    LATHE_ASSIGN_OR_RETURN(file->file_, MappedFile::Open(path));
    file->has_footer_ = has_footer;
    LATHE_RETURN_IF_ERROR(file->ReadSchema());
    LATHE_ASSIGN_OR_RETURN(const int64_t rows, file->CountRows());
    LATHE_RETURN_IF_ERROR(file->Describe(*file->schema_, rows, total_bytes_max));
    return std::unique_ptr<DataFile>(std::move(file));
  }

 protected:
  absl::StatusOr<std::unique_ptr<ArrowChunks>> OpenChunks(size_t column) override {
    return OpenField(static_cast<int>(column));
  }

 private:
  std::shared_ptr<arrow::io::BufferReader> Bytes() const {
    return std::make_shared<arrow::io::BufferReader>(
        std::make_shared<arrow::Buffer>(file_->bytes().data(), static_cast<int64_t>(file_->bytes().size())));
  }

  arrow::ipc::IpcReadOptions Options() {
    arrow::ipc::IpcReadOptions options = arrow::ipc::IpcReadOptions::Defaults();
    options.memory_pool = pool();
    options.use_threads = false;
    return options;
  }

  absl::Status ReadSchema() {
    if (has_footer_) {
      LATHE_ASSIGN_OR_RETURN(const auto reader,
                             GuardArrow([&] { return arrow::ipc::RecordBatchFileReader::Open(Bytes(), Options()); }));
      schema_ = reader->schema();
    } else {
      LATHE_ASSIGN_OR_RETURN(const auto reader,
                             GuardArrow([&] { return arrow::ipc::RecordBatchStreamReader::Open(Bytes(), Options()); }));
      schema_ = reader->schema();
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::unique_ptr<ArrowChunks>> OpenField(int field) {
    arrow::ipc::IpcReadOptions options = Options();
    options.included_fields = {field};
    if (has_footer_) {
      LATHE_ASSIGN_OR_RETURN(const auto reader,
                             GuardArrow([&] { return arrow::ipc::RecordBatchFileReader::Open(Bytes(), options); }));
      return std::unique_ptr<ArrowChunks>(std::make_unique<IpcChunks>(file_, reader));
    }
    LATHE_ASSIGN_OR_RETURN(const auto reader,
                           GuardArrow([&] { return arrow::ipc::RecordBatchStreamReader::Open(Bytes(), options); }));
    return std::unique_ptr<ArrowChunks>(
        std::make_unique<IpcChunks>(file_, std::static_pointer_cast<arrow::RecordBatchReader>(reader)));
  }

  // Goes through one column, the first of plain numbers if there is one: compressed ones cost the least.
  absl::StatusOr<int64_t> CountRows() {
    if (schema_->num_fields() == 0) return InvalidData("the table has no columns");
    int field = 0;
    for (int i = schema_->num_fields() - 1; i >= 0; --i) {
      if (arrow::is_primitive(schema_->field(i)->type()->id())) field = i;
    }
    LATHE_ASSIGN_OR_RETURN(const std::unique_ptr<ArrowChunks> chunks, OpenField(field));
    int64_t rows = 0;
    while (true) {
      LATHE_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::Array> chunk, chunks->Next());
      if (chunk == nullptr) return rows;
      rows += chunk->length();
    }
  }

  std::shared_ptr<const MappedFile> file_;
  bool has_footer_ = false;
  std::shared_ptr<arrow::Schema> schema_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<DataFile>> OpenIpcFile(const std::string& path, bool has_footer,
                                                      uint64_t total_bytes_max) {
  return IpcDataFile::Open(path, has_footer, total_bytes_max);
}

}  // namespace lathe
