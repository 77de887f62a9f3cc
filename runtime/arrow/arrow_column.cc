#include "runtime/arrow/arrow_column.h"

#include <arrow/extension/fixed_shape_tensor.h>
#include <arrow/extension_type.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <optional>

#include "runtime/arrow/arrow_status.h"

namespace lathe {

namespace {

constexpr size_t kNestingMax = 16;
// Of one row: more bytes than any model's input has.
constexpr int64_t kRowElementsMax = int64_t{1} << 32;

std::optional<NpyType> FindNumberType(arrow::Type::type type) {
  switch (type) {
    case arrow::Type::BOOL:
      return NpyType::kBool;
    case arrow::Type::INT8:
      return NpyType::kInt8;
    case arrow::Type::UINT8:
      return NpyType::kUint8;
    case arrow::Type::INT16:
      return NpyType::kInt16;
    case arrow::Type::UINT16:
      return NpyType::kUint16;
    case arrow::Type::INT32:
      return NpyType::kInt32;
    case arrow::Type::UINT32:
      return NpyType::kUint32;
    case arrow::Type::INT64:
      return NpyType::kInt64;
    case arrow::Type::UINT64:
      return NpyType::kUint64;
    case arrow::Type::HALF_FLOAT:
      return NpyType::kFloat16;
    case arrow::Type::FLOAT:
      return NpyType::kFloat32;
    case arrow::Type::DOUBLE:
      return NpyType::kFloat64;
    default:
      return std::nullopt;
  }
}

bool IsBinary(const arrow::DataType& type) {
  return type.id() == arrow::Type::BINARY || type.id() == arrow::Type::LARGE_BINARY;
}

// The position of the binary field `bytes` of a struct.
std::optional<int> FindBytesField(const arrow::DataType& type) {
  if (type.id() != arrow::Type::STRUCT) return std::nullopt;
  for (int i = 0; i < type.num_fields(); ++i) {
    if (type.field(i)->name() == "bytes" && IsBinary(*type.field(i)->type())) return i;
  }
  return std::nullopt;
}

// Multiplies, or says no when a row would be larger than kRowElementsMax.
bool SetShape(const std::vector<int64_t>& row_shape, ArrowColumn* column) {
  column->column.shape.resize(1);
  int64_t elements = 1;
  for (int64_t length : row_shape) {
    if (length < 0 || (length > 0 && elements > kRowElementsMax / length)) return false;
    elements *= length;
    column->column.shape.push_back(length);
  }
  return true;
}

// The shape that an extension gives to its values, if they lie in its order.
std::optional<std::vector<int64_t>> FindTensorShape(const arrow::DataType& type) {
  const auto* tensor = dynamic_cast<const arrow::extension::FixedShapeTensorType*>(&type);
  if (tensor == nullptr) return std::nullopt;
  const std::vector<int64_t>& order = tensor->permutation();
  if (!std::is_sorted(order.begin(), order.end())) return std::nullopt;
  int64_t elements = 1;
  for (int64_t length : tensor->shape()) {
    if (length < 0 || (length > 0 && elements > kRowElementsMax / length)) return std::nullopt;
    elements *= length;
  }
  const auto& storage = static_cast<const arrow::FixedSizeListType&>(*tensor->storage_type());
  if (elements != storage.list_size()) return std::nullopt;
  return tensor->shape();
}

class RowCopy {
 public:
  RowCopy(const ArrowColumn& column, std::vector<uint8_t>* out) : column_(column), out_(out) {}

  // Appends elements [begin, end) of `array`, which lies at nesting `level`.
  absl::Status Append(const arrow::Array& array, int64_t begin, int64_t end, size_t level) {
    LATHE_RETURN_IF_ERROR(CheckNulls(array, begin, end, level));
    switch (array.type_id()) {
      case arrow::Type::EXTENSION:
        return Append(*static_cast<const arrow::ExtensionArray&>(array).storage(), begin, end, level);
      case arrow::Type::FIXED_SIZE_LIST: {
        const auto& list = static_cast<const arrow::FixedSizeListArray&>(array);
        return Append(*list.values(), list.value_offset(begin), list.value_offset(end), level + 1);
      }
      case arrow::Type::LIST:
        return AppendList(static_cast<const arrow::ListArray&>(array), begin, end, level);
      case arrow::Type::LARGE_LIST:
        return AppendList(static_cast<const arrow::LargeListArray&>(array), begin, end, level);
      case arrow::Type::BOOL:
        for (int64_t i = begin; i < end; ++i) {
          out_->push_back(static_cast<const arrow::BooleanArray&>(array).Value(i) ? 1 : 0);
        }
        return absl::OkStatus();
      default:
        AppendNumbers(array, begin, end);
        return absl::OkStatus();
    }
  }

 private:
  static absl::Status CheckNulls(const arrow::Array& array, int64_t begin, int64_t end, size_t level) {
    if (array.null_count() == 0) return absl::OkStatus();
    for (int64_t i = begin; i < end; ++i) {
      if (!array.IsNull(i)) continue;
      const std::string what = level == 0 ? "the value" : absl::StrFormat("element %d", i - begin);
      return InvalidData(what + " is null; every sample needs a value: drop such rows or fill them");
    }
    return absl::OkStatus();
  }

  template <typename List>
  absl::Status AppendList(const List& list, int64_t begin, int64_t end, size_t level) {
    for (int64_t i = begin; i < end; ++i) {
      if (list.value_length(i) == column_.lengths[level]) continue;
      return InvalidData(absl::StrFormat(
          "a list has %d elements, in the first sample it has %d; all must have the same length: pad them",
          list.value_length(i), column_.lengths[level]));
    }
    if (begin == end) return absl::OkStatus();
    return Append(*list.values(), list.value_offset(begin), list.value_offset(end - 1) + list.value_length(end - 1),
                  level + 1);
  }

  void AppendNumbers(const arrow::Array& array, int64_t begin, int64_t end) {
    if (begin == end) return;
    const int64_t width = static_cast<int64_t>(SizeOf(column_.column.type));
    const uint8_t* values = array.data()->buffers[1]->data() + array.offset() * width;
    out_->insert(out_->end(), values + begin * width, values + end * width);
  }

  const ArrowColumn& column_;
  std::vector<uint8_t>* out_;
};

template <typename Binary>
void TakeBytes(const arrow::Array& array, int64_t row, std::vector<uint8_t>* value) {
  const std::string_view bytes = static_cast<const Binary&>(array).GetView(row);
  value->assign(bytes.begin(), bytes.end());
}

absl::Status CopyEncoded(const arrow::Array& array, int64_t row, std::vector<uint8_t>* value) {
  if (array.IsNull(row)) return InvalidData("the value is null; every sample needs an image: drop such rows");
  if (array.type_id() == arrow::Type::STRUCT) {
    const auto bytes = static_cast<const arrow::StructArray&>(array).GetFieldByName("bytes");
    return CopyEncoded(*bytes, row, value);
  }
  if (array.type_id() == arrow::Type::BINARY) {
    TakeBytes<arrow::BinaryArray>(array, row, value);
  } else {
    TakeBytes<arrow::LargeBinaryArray>(array, row, value);
  }
  return absl::OkStatus();
}

// The lists' lengths in row 0, down to the numbers.
absl::Status FindLengths(const arrow::Array& array, int64_t row, size_t level, std::vector<int64_t>* lengths) {
  if (level == lengths->size()) return absl::OkStatus();
  if (array.type_id() == arrow::Type::EXTENSION) {
    return FindLengths(*static_cast<const arrow::ExtensionArray&>(array).storage(), row, level, lengths);
  }
  if (array.IsNull(row)) return InvalidData("sample 0 is null; every sample needs a value: drop such rows");
  const auto descend = [&](const auto& list) {
    (*lengths)[level] = list.value_length(row);
    if ((*lengths)[level] == 0) return absl::OkStatus();  // the levels below hold nothing, which `elements` says
    return FindLengths(*list.values(), list.value_offset(row), level + 1, lengths);
  };
  if (array.type_id() == arrow::Type::LIST) return descend(static_cast<const arrow::ListArray&>(array));
  if (array.type_id() == arrow::Type::LARGE_LIST) return descend(static_cast<const arrow::LargeListArray&>(array));
  return descend(static_cast<const arrow::FixedSizeListArray&>(array));
}

}  // namespace

bool ArrowColumn::NeedsFirstRow() const {
  return column.problem.empty() && std::find(lengths.begin(), lengths.end(), kLengthUnknown) != lengths.end();
}

ArrowColumn DescribeField(const arrow::Field& field, int64_t rows) {
  ArrowColumn described;
  DataColumn& column = described.column;
  column.name = PrintableText(field.name(), 200);
  column.shape = {rows};
  const auto refuse = [&](const std::string& why) {
    column.problem = why + PrintableText(field.type()->ToString(), 100);
    return described;
  };
  std::shared_ptr<arrow::DataType> type = field.type();
  const std::optional<std::vector<int64_t>> tensor_shape = FindTensorShape(*type);
  while (described.lengths.size() < kNestingMax) {
    if (type->id() == arrow::Type::EXTENSION) {
      if (type != field.type() || !tensor_shape) return refuse("its values have the extension type ");
      type = static_cast<const arrow::ExtensionType&>(*type).storage_type();
    } else if (type->id() == arrow::Type::FIXED_SIZE_LIST) {
      const auto& list = static_cast<const arrow::FixedSizeListType&>(*type);
      described.lengths.push_back(list.list_size());
      type = list.value_type();
    } else if (type->id() == arrow::Type::LIST || type->id() == arrow::Type::LARGE_LIST) {
      described.lengths.push_back(ArrowColumn::kLengthUnknown);
      type = type->field(0)->type();
    } else {
      break;
    }
  }
  if (const auto number = FindNumberType(type->id())) {
    column.type = *number;
    if (described.NeedsFirstRow()) return described;
    return SetShape(tensor_shape.value_or(described.lengths), &described) ? described
                                                                          : refuse("a sample is too large in ");
  }
  column.encoded = described.lengths.empty() && (IsBinary(*type) || FindBytesField(*type));
  if (column.encoded) return described;
  return refuse("expected numbers, lists of numbers or encoded images, found ");
}

absl::Status DescribeFirstRow(const arrow::Array& array, ArrowColumn* column) {
  LATHE_RETURN_IF_ERROR(FindLengths(array, 0, 0, &column->lengths));
  for (int64_t& length : column->lengths) length = std::max<int64_t>(length, 0);
  if (SetShape(column->lengths, column)) return absl::OkStatus();
  return InvalidData("a sample has more elements than any model takes");
}

absl::Status CopyRow(const arrow::Array& array, int64_t row, const ArrowColumn& column, std::vector<uint8_t>* value) {
  value->clear();
  if (column.column.encoded) return CopyEncoded(array, row, value);
  value->reserve(column.column.RowBytes());
  LATHE_RETURN_IF_ERROR(RowCopy(column, value).Append(array, row, row + 1, 0));
  if (value->size() == column.column.RowBytes()) return absl::OkStatus();
  return InvalidData(absl::StrFormat("has %d bytes, expected %d", value->size(), column.column.RowBytes()));
}

}  // namespace lathe
