#include "runtime/npy.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <optional>

#include "absl/strings/numbers.h"

namespace lathe {

namespace {

struct TypeRow {
  NpyType type;
  std::string_view descr;  // without the byte order
  std::string_view name;
  size_t size;
};

constexpr std::array<TypeRow, 12> kTypes = {{
    {NpyType::kBool, "b1", "bool", 1},
    {NpyType::kInt8, "i1", "int8", 1},
    {NpyType::kUint8, "u1", "uint8", 1},
    {NpyType::kInt16, "i2", "int16", 2},
    {NpyType::kUint16, "u2", "uint16", 2},
    {NpyType::kInt32, "i4", "int32", 4},
    {NpyType::kUint32, "u4", "uint32", 4},
    {NpyType::kInt64, "i8", "int64", 8},
    {NpyType::kUint64, "u8", "uint64", 8},
    {NpyType::kFloat16, "f2", "float16", 2},
    {NpyType::kFloat32, "f4", "float32", 4},
    {NpyType::kFloat64, "f8", "float64", 8},
}};

// More elements than any data set that is accepted has bytes; products below it cannot overflow.
constexpr uint64_t kElementsMax = uint64_t{1} << 48;
constexpr size_t kRankMax = 32;  // numpy's own bound

const TypeRow& RowOf(NpyType type) { return kTypes[static_cast<size_t>(type)]; }

absl::Status Invalid(const std::string& text) {
  return MakeError(absl::StatusCode::kInvalidArgument, "DATA_INVALID", text);
}

// Reads the header's Python literal: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }.
class HeaderParser {
 public:
  explicit HeaderParser(std::string_view text) : text_(text) {}

  absl::Status Parse() {
    if (!Take('{')) return Malformed();
    while (!Take('}')) {
      const std::optional<std::string_view> key = TakeString();
      if (!key || !Take(':') || !ParseValue(*key)) return Malformed();
      if (!Take(',') && Peek() != '}') return Malformed();
    }
    if (!has_descr_ || !has_order_ || !has_shape_) return Malformed();
    return absl::OkStatus();
  }

  std::string_view descr;  // empty for a structured type
  bool fortran_order = false;
  std::vector<int64_t> shape;

 private:
  static absl::Status Malformed() { return Invalid("the .npy header is malformed; write the file with numpy.save"); }

  bool ParseValue(std::string_view key) {
    if (key == "descr") {
      has_descr_ = true;
      if (Peek() == '[') return SkipList();
      const auto value = TakeString();
      descr = value.value_or("");
      return value.has_value();
    }
    if (key == "fortran_order") {
      has_order_ = true;
      fortran_order = TakeWord("True");
      return fortran_order || TakeWord("False");
    }
    if (key == "shape") {
      has_shape_ = true;
      return ParseShape();
    }
    return false;
  }

  bool ParseShape() {
    if (!Take('(')) return false;
    while (!Take(')')) {
      SkipSpace();
      size_t digits = 0;
      while (digits < text_.size() && text_[digits] >= '0' && text_[digits] <= '9') ++digits;
      int64_t dimension = 0;
      if (!absl::SimpleAtoi(absl::string_view(text_.data(), digits), &dimension)) return false;
      text_.remove_prefix(digits);
      if (shape.size() == kRankMax) return false;
      shape.push_back(dimension);
      if (!Take(',') && Peek() != ')') return false;
    }
    return true;
  }

  bool SkipList() {
    const size_t end = text_.rfind(']');
    if (end == std::string_view::npos) return false;
    text_.remove_prefix(end + 1);
    return true;
  }

  std::optional<std::string_view> TakeString() {
    const char quote = Peek();
    if (quote != '\'' && quote != '"') return std::nullopt;
    const size_t end = text_.find(quote, 1);
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view value = text_.substr(1, end - 1);
    text_.remove_prefix(end + 1);
    return value;
  }

  bool TakeWord(std::string_view word) {
    SkipSpace();
    if (text_.substr(0, word.size()) != word) return false;
    text_.remove_prefix(word.size());
    return true;
  }

  bool Take(char c) {
    if (Peek() != c) return false;
    text_.remove_prefix(1);
    return true;
  }

  char Peek() {
    SkipSpace();
    return text_.empty() ? '\0' : text_.front();
  }

  void SkipSpace() {
    while (!text_.empty() && (text_.front() == ' ' || text_.front() == '\n')) text_.remove_prefix(1);
  }

  std::string_view text_;
  bool has_descr_ = false, has_order_ = false, has_shape_ = false;
};

absl::StatusOr<NpyType> ParseType(std::string_view descr) {
  if (descr.empty()) return Invalid("a structured type; save each field as an array of its own");
  const std::string_view type = descr.size() == 3 ? descr.substr(1) : "";
  for (const TypeRow& row : kTypes) {
    if (row.descr != type) continue;
    if (descr[0] == '<' || descr[0] == '=' || descr[0] == '|') return row.type;
    if (descr[0] == '>' && row.size == 1) return row.type;
    if (descr[0] == '>') {
      return Invalid(absl::StrFormat("big-endian values of type %s; convert with array.astype('<%s')",
                                     std::string(row.name), std::string(type)));
    }
  }
  std::string printable(descr.substr(0, 32));
  std::replace_if(
      printable.begin(), printable.end(), [](char c) { return c < 32 || c > 126; }, '?');
  return Invalid(absl::StrFormat("values of type '%s'; expected bool, an integer or a float type", printable));
}

size_t LengthFieldBytes(uint8_t major) { return major == 1 ? 2 : 4; }

}  // namespace

size_t SizeOf(NpyType type) { return RowOf(type).size; }
std::string_view NameOf(NpyType type) { return RowOf(type).name; }
bool IsFloat(NpyType type) { return type >= NpyType::kFloat16; }

absl::StatusOr<size_t> FindNpyHeaderSize(absl::Span<const uint8_t> start) {
  if (start.size() < 12 || memcmp(start.data(), "\x93NUMPY", 6) != 0) {
    return Invalid("not a .npy array; write it with numpy.save or numpy.savez");
  }
  const uint8_t major = start[6];
  if (major < 1 || major > 3) {
    return Invalid(absl::StrFormat("the .npy format version is %d; versions 1 to 3 are read", major));
  }
  size_t length = 0;
  for (size_t i = 0; i < LengthFieldBytes(major); ++i) length |= size_t{start[8 + i]} << (8 * i);
  if (length > kNpyHeaderBytesMax) return Invalid("the .npy header is longer than 64 KiB");
  const size_t size = 8 + LengthFieldBytes(major) + length;
  if (size < 12) return Invalid("the .npy header is malformed; write the file with numpy.save");
  return size;
}

absl::StatusOr<NpyHeader> ParseNpyHeader(absl::Span<const uint8_t> header) {
  LATHE_ASSIGN_OR_RETURN(const size_t size, FindNpyHeaderSize(header));
  if (header.size() < size) return Invalid("the .npy header is cut short");
  const size_t text_begin = 8 + LengthFieldBytes(header[6]);
  HeaderParser parser(std::string_view(reinterpret_cast<const char*>(header.data()) + text_begin, size - text_begin));
  LATHE_RETURN_IF_ERROR(parser.Parse());
  NpyHeader parsed;
  LATHE_ASSIGN_OR_RETURN(parsed.type, ParseType(parser.descr));
  if (parser.fortran_order && parser.shape.size() > 1) {
    return Invalid("the array is in Fortran order; save numpy.ascontiguousarray(array)");
  }
  parsed.shape = std::move(parser.shape);
  parsed.elements = 1;
  for (int64_t dimension : parsed.shape) {
    const uint64_t factor = static_cast<uint64_t>(dimension);
    if (factor != 0 && parsed.elements > kElementsMax / factor) return Invalid("the array's shape is too large");
    parsed.elements *= factor;
  }
  parsed.data_bytes = parsed.elements * SizeOf(parsed.type);
  return parsed;
}

}  // namespace lathe
