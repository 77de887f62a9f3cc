#include "runtime/arrow/parquet_data_file.h"

#include <arrow/io/file.h>
#include <arrow/record_batch.h>
#include <arrow/util/compression.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/strings/match.h"
#include "runtime/arrow/arrow_data_file.h"
#include "runtime/arrow/arrow_status.h"

namespace lathe {

namespace {

// What is decoded at once: 1 Mi numbers or 8 MiB of encoded files.
constexpr int64_t kBatchElements = int64_t{1} << 20, kBatchBytes = int64_t{8} << 20, kBatchRowsMax = 16384;
constexpr int64_t kStreamBytes = int64_t{1} << 20;

class ParquetChunks : public ArrowChunks {
 public:
  ParquetChunks(std::unique_ptr<parquet::arrow::FileReader> file, std::unique_ptr<arrow::RecordBatchReader> batches)
      : file_(std::move(file)), batches_(std::move(batches)) {}
  absl::StatusOr<std::shared_ptr<arrow::Array>> Next() override {
    LATHE_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::RecordBatch> batch,
                           GuardArrow([&] { return batches_->Next(); }));
    if (batch == nullptr) return nullptr;
    return batch->column(0);
  }

 private:
  std::unique_ptr<parquet::arrow::FileReader> file_;  // batches_ reads from it
  std::unique_ptr<arrow::RecordBatchReader> batches_;
};

// The leaves below a field; of an image struct only its bytes.
void CollectLeaves(const parquet::arrow::SchemaField& field, bool encoded, std::vector<int>* leaves) {
  if (field.is_leaf()) leaves->push_back(field.column_index);
  for (const parquet::arrow::SchemaField& child : field.children) {
    if (!encoded || child.field->name() == "bytes") CollectLeaves(child, encoded, leaves);
  }
}

class ParquetDataFile : public ArrowDataFile {
 public:
  static absl::StatusOr<std::unique_ptr<DataFile>> Open(const std::string& path, uint64_t total_bytes_max) {
    auto file = std::make_unique<ParquetDataFile>();
    LATHE_ASSIGN_OR_RETURN(file->file_, GuardArrow([&] { return arrow::io::ReadableFile::Open(path, file->pool()); }));
    LATHE_ASSIGN_OR_RETURN(const auto reader, file->OpenReader());
    file->metadata_ = reader->parquet_reader()->metadata();
    if (file->metadata_->is_encryption_algorithm_set()) return Encrypted();
    std::shared_ptr<arrow::Schema> schema;
    LATHE_RETURN_IF_ERROR(FromArrow(reader->GetSchema(&schema)));
    LATHE_RETURN_IF_ERROR(file->FindLeaves(*reader, *schema));
    LATHE_RETURN_IF_ERROR(file->Describe(*schema, file->metadata_->num_rows(), total_bytes_max));
    file->FindCompressionProblems();
    return std::unique_ptr<DataFile>(std::move(file));
  }

  static absl::Status Encrypted() { return InvalidData("the file is encrypted; write it without encryption"); }

 protected:
  absl::StatusOr<std::unique_ptr<ArrowChunks>> OpenChunks(size_t index) override {
    LATHE_ASSIGN_OR_RETURN(auto reader, OpenReader());
    reader->set_batch_size(BatchRows(index));
    std::vector<int> row_groups(static_cast<size_t>(metadata_->num_row_groups()));
    std::iota(row_groups.begin(), row_groups.end(), 0);
    LATHE_ASSIGN_OR_RETURN(auto batches,
                           GuardArrow([&] { return reader->GetRecordBatchReader(row_groups, leaves_[index]); }));
    return std::unique_ptr<ArrowChunks>(std::make_unique<ParquetChunks>(std::move(reader), std::move(batches)));
  }

 private:
  absl::StatusOr<std::unique_ptr<parquet::arrow::FileReader>> OpenReader() {
    parquet::ReaderProperties properties(pool());
    properties.enable_buffered_stream();
    properties.set_buffer_size(kStreamBytes);
    properties.set_page_checksum_verification(true);
    parquet::ArrowReaderProperties arrow_properties(/*use_threads=*/false);
    arrow_properties.set_pre_buffer(false);  // else whole row groups are read ahead
    return GuardArrow([&]() -> arrow::Result<std::unique_ptr<parquet::arrow::FileReader>> {
      parquet::arrow::FileReaderBuilder builder;
      ARROW_RETURN_NOT_OK(builder.Open(file_, properties, metadata_));
      return builder.memory_pool(pool())->properties(arrow_properties)->Build();
    });
  }

  absl::Status FindLeaves(const parquet::arrow::FileReader& reader, const arrow::Schema& schema) {
    const auto& fields = reader.manifest().schema_fields;
    if (fields.size() != static_cast<size_t>(schema.num_fields())) return InvalidData("the file's schema is damaged");
    for (size_t c = 0; c < fields.size(); ++c) {
      CollectLeaves(fields[c], DescribeField(*schema.field(static_cast<int>(c)), 0).column.encoded,
                    &leaves_.emplace_back());
    }
    return absl::OkStatus();
  }

  // How many rows are about one batch, by what the file says of the column; hostile figures cost time, not memory.
  int64_t BatchRows(size_t index) const {
    const int64_t rows = std::max<int64_t>(metadata_->num_rows(), 1);
    int64_t values = 0, bytes = 0;
    for (int group = 0; group < metadata_->num_row_groups(); ++group) {
      const auto chunk = metadata_->RowGroup(group)->ColumnChunk(leaves_[index][0]);
      values += std::max<int64_t>(chunk->num_values(), 0);
      bytes += std::max<int64_t>(chunk->total_uncompressed_size(), 0);
    }
    const bool encoded = metadata_->schema()->Column(leaves_[index][0])->physical_type() == parquet::Type::BYTE_ARRAY;
    const int64_t batch = encoded ? kBatchBytes / (bytes / rows + 1) : kBatchElements / (values / rows + 1);
    return std::clamp<int64_t>(batch, 1, kBatchRowsMax);
  }

  void FindCompressionProblems() {
    for (int group = 0; group < metadata_->num_row_groups(); ++group) {
      for (size_t c = 0; c < columns_.size(); ++c) {
        for (int leaf : leaves_[c]) {
          const arrow::Compression::type codec = metadata_->RowGroup(group)->ColumnChunk(leaf)->compression();
          if (arrow::util::Codec::IsAvailable(codec)) continue;
          columns_[c].problem = "its compression is not supported: " + arrow::util::Codec::GetCodecAsString(codec) +
                                "; write it with zstd, snappy or none";
        }
      }
    }
  }

  std::shared_ptr<arrow::io::ReadableFile> file_;  // shared by all readers, which read at positions
  std::shared_ptr<parquet::FileMetaData> metadata_;
  std::vector<std::vector<int>> leaves_;  // of each column
};

}  // namespace

absl::StatusOr<std::unique_ptr<DataFile>> OpenParquetFile(const std::string& path, uint64_t total_bytes_max) {
  absl::StatusOr<std::unique_ptr<DataFile>> file = [&]() -> absl::StatusOr<std::unique_ptr<DataFile>> {
    try {
      return ParquetDataFile::Open(path, total_bytes_max);
    } catch (const std::exception& error) {  // metadata is parsed as it is asked for
      return FromArrow(arrow::Status::Invalid(error.what()));
    }
  }();
  // An encrypted footer has another magic number, which the reader refuses with words about keys.
  if (!file.ok() && absl::StrContains(file.status().message(), "ncrypt")) return ParquetDataFile::Encrypted();
  return file;
}

}  // namespace lathe
