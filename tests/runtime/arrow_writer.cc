#include "tests/runtime/arrow_writer.h"

#include <arrow/builder.h>
#include <arrow/extension/fixed_shape_tensor.h>
#include <arrow/io/file.h>
#include <arrow/ipc/writer.h>
#include <arrow/json/from_string.h>
#include <arrow/table.h>
#include <arrow/util/compression.h>
#include <parquet/arrow/writer.h>

namespace lathe {

namespace {

void Check(const arrow::Status& status) {
  if (!status.ok()) status.Abort("while a test writes its data");
}

}  // namespace

std::shared_ptr<arrow::Array> ArrowArray(const std::shared_ptr<arrow::DataType>& type, const std::string& json) {
  return arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
}

std::shared_ptr<arrow::Array> ArrowBinary(const std::vector<std::string>& values) {
  arrow::BinaryBuilder builder;
  Check(builder.AppendValues(values));
  return builder.Finish().ValueOrDie();
}

std::shared_ptr<arrow::Array> ArrowRows(const std::vector<float>& row, int64_t rows) {
  arrow::FloatBuilder builder;
  for (int64_t i = 0; i < rows; ++i) Check(builder.AppendValues(row));
  return arrow::FixedSizeListArray::FromArrays(builder.Finish().ValueOrDie(), static_cast<int32_t>(row.size()))
      .ValueOrDie();
}

std::shared_ptr<arrow::Array> ArrowTensor(const std::shared_ptr<arrow::Array>& lists,
                                          const std::vector<int64_t>& shape) {
  const auto& list_type = static_cast<const arrow::FixedSizeListType&>(*lists->type());
  return arrow::ExtensionType::WrapArray(arrow::extension::fixed_shape_tensor(list_type.value_type(), shape), lists);
}

std::shared_ptr<arrow::Array> ArrowImageStructs(const std::vector<std::string>& values) {
  arrow::StringBuilder paths;
  for (size_t i = 0; i < values.size(); ++i) Check(paths.Append("image.png"));
  return arrow::StructArray::Make({ArrowBinary(values), paths.Finish().ValueOrDie()},
                                  std::vector<std::string>{"bytes", "path"})
      .ValueOrDie();
}

void WriteArrow(const std::string& path, ArrowFormat format, const ArrowColumns& columns, bool compress) {
  std::vector<std::shared_ptr<arrow::Field>> fields;
  std::vector<std::shared_ptr<arrow::Array>> arrays;
  for (const auto& [name, array] : columns) {
    fields.push_back(arrow::field(name, array->type()));
    arrays.push_back(array);
  }
  const auto table = arrow::Table::Make(arrow::schema(fields), arrays);
  const auto file = arrow::io::FileOutputStream::Open(path).ValueOrDie();
  if (format == ArrowFormat::kParquet) {
    parquet::WriterProperties::Builder properties;
    properties.compression(compress ? parquet::Compression::ZSTD : parquet::Compression::UNCOMPRESSED);
    properties.enable_page_checksum();
    Check(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), file, int64_t{1} << 20, properties.build(),
                                     parquet::ArrowWriterProperties::Builder().store_schema()->build()));
  } else {
    arrow::ipc::IpcWriteOptions options;
    if (compress) options.codec = arrow::util::Codec::Create(arrow::Compression::ZSTD).ValueOrDie();
    const auto writer = format == ArrowFormat::kIpcFile
                            ? arrow::ipc::MakeFileWriter(file, table->schema(), options).ValueOrDie()
                            : arrow::ipc::MakeStreamWriter(file, table->schema(), options).ValueOrDie();
    Check(writer->WriteTable(*table));
    Check(writer->Close());
  }
  Check(file->Close());
}

}  // namespace lathe
