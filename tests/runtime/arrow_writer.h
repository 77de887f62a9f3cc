#ifndef LATHE_TESTS_RUNTIME_ARROW_WRITER_H_
#define LATHE_TESTS_RUNTIME_ARROW_WRITER_H_

#include <arrow/array.h>
#include <arrow/type.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace lathe {

// Tables for tests, written by Arrow itself. Everything fails the process when it cannot be made.
using ArrowColumns = std::vector<std::pair<std::string, std::shared_ptr<arrow::Array>>>;

// From the type's name in Arrow's JSON form of values: ArrowArray(arrow::list(arrow::int32()), "[[1, 2], [3, 4]]").
std::shared_ptr<arrow::Array> ArrowArray(const std::shared_ptr<arrow::DataType>& type, const std::string& json);
// Binary values.
std::shared_ptr<arrow::Array> ArrowBinary(const std::vector<std::string>& values);
// `rows` rows of the float32 list `row`, as a fixed-size list.
std::shared_ptr<arrow::Array> ArrowRows(const std::vector<float>& row, int64_t rows);
// As the extension type fixed_shape_tensor of `shape`. REQUIRES: a fixed-size list of so many elements.
std::shared_ptr<arrow::Array> ArrowTensor(const std::shared_ptr<arrow::Array>& lists,
                                          const std::vector<int64_t>& shape);
// A struct with the fields `bytes` (binary) and `path` (string), as Hugging Face writes images.
std::shared_ptr<arrow::Array> ArrowImageStructs(const std::vector<std::string>& values);

enum class ArrowFormat { kParquet, kIpcFile, kIpcStream };
void WriteArrow(const std::string& path, ArrowFormat format, const ArrowColumns& columns, bool compress = false);

}  // namespace lathe

#endif  // LATHE_TESTS_RUNTIME_ARROW_WRITER_H_
