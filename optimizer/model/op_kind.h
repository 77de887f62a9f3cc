#ifndef LATHE_OPTIMIZER_MODEL_OP_KIND_H_
#define LATHE_OPTIMIZER_MODEL_OP_KIND_H_

// The builtin operators and tensor types of the LiteRT file format, under Lathe's names: CONV_2D is OpKind::kConv2d,
// INT8 is TensorType::kInt8. The lists are generated from tflite-format.tsv; the numbers are those of the file.

#include <cstdint>
#include <string>
#include <string_view>

namespace lathe {

enum class OpKind : int32_t {
#define LATHE_OP_KIND(constant, name, value) constant = value,
#include "optimizer/model/op_kinds.inc"
#undef LATHE_OP_KIND
};

enum class TensorType : int8_t {
#define LATHE_TENSOR_TYPE(constant, name, value) constant = value,
#include "optimizer/model/tensor_types.inc"
#undef LATHE_TENSOR_TYPE
};

// The format's own name, "CONV_2D"; "UNKNOWN" for a number that is not in the list.
std::string_view OpKindName(OpKind kind);
// "FLOAT32"; "UNKNOWN" for a number that is not in the list.
std::string_view TensorTypeName(TensorType type);
// The name in reports and summaries: "float32".
std::string TensorTypeLabel(TensorType type);

bool IsKnownOpKind(int32_t value);
bool IsKnownTensorType(int32_t value);

// Bits of one element: 4 for INT4, 32 for FLOAT32. 0 where elements have no fixed size (STRING, RESOURCE, VARIANT) and
// for a number that is not in the list.
int TypeBits(TensorType type);

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_MODEL_OP_KIND_H_
