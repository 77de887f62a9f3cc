#include "optimizer/model/op_kind.h"

#include <algorithm>
#include <cctype>

namespace lathe {

std::string_view OpKindName(OpKind kind) {
  switch (kind) {
#define LATHE_OP_KIND(constant, name, value) \
  case OpKind::constant:                     \
    return name;
#include "optimizer/model/op_kinds.inc"
#undef LATHE_OP_KIND
  }
  return "UNKNOWN";
}

std::string_view TensorTypeName(TensorType type) {
  switch (type) {
#define LATHE_TENSOR_TYPE(constant, name, value) \
  case TensorType::constant:                     \
    return name;
#include "optimizer/model/tensor_types.inc"
#undef LATHE_TENSOR_TYPE
  }
  return "UNKNOWN";
}

std::string TensorTypeLabel(TensorType type) {
  std::string label(TensorTypeName(type));
  std::transform(label.begin(), label.end(), label.begin(), [](unsigned char c) { return std::tolower(c); });
  return label;
}

bool IsKnownOpKind(int32_t value) { return OpKindName(static_cast<OpKind>(value)) != "UNKNOWN"; }

bool IsKnownTensorType(int32_t value) {
  return value >= 0 && value <= INT8_MAX && TensorTypeName(static_cast<TensorType>(value)) != "UNKNOWN";
}

int TypeBits(TensorType type) {
  switch (type) {
    case TensorType::kInt2:
      return 2;
    case TensorType::kInt4:
    case TensorType::kUint4:
      return 4;
    case TensorType::kInt8:
    case TensorType::kUint8:
    case TensorType::kBool:
    case TensorType::kFloat8E4m3fn:
    case TensorType::kFloat8E5m2:
      return 8;
    case TensorType::kInt16:
    case TensorType::kUint16:
    case TensorType::kFloat16:
    case TensorType::kBfloat16:
      return 16;
    case TensorType::kInt32:
    case TensorType::kUint32:
    case TensorType::kFloat32:
      return 32;
    case TensorType::kInt64:
    case TensorType::kUint64:
    case TensorType::kFloat64:
    case TensorType::kComplex64:
      return 64;
    case TensorType::kComplex128:
      return 128;
    case TensorType::kString:
    case TensorType::kResource:
    case TensorType::kVariant:
      return 0;
  }
  return 0;
}

}  // namespace lathe
