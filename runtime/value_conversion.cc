#include "runtime/value_conversion.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

namespace lathe {

namespace {

// IEEE half precision as it lies in the file.
struct Half {
  uint16_t bits;
  explicit operator double() const {
    const int exponent = (bits >> 10) & 0x1f, fraction = bits & 0x3ff;
    const double sign = (bits & 0x8000) != 0 ? -1 : 1;
    if (exponent == 0) return sign * std::ldexp(fraction, -24);
    if (exponent == 31) return fraction == 0 ? sign * HUGE_VAL : std::nan("");
    return sign * std::ldexp(fraction + 1024, exponent - 25);
  }
};

// Calls visit(T{}) with the C++ type of the array's elements.
template <typename Visit>
auto VisitNpy(NpyType type, Visit&& visit) {
  switch (type) {
    case NpyType::kInt8:
      return visit(int8_t{});
    case NpyType::kBool:
    case NpyType::kUint8:
      return visit(uint8_t{});
    case NpyType::kInt16:
      return visit(int16_t{});
    case NpyType::kUint16:
      return visit(uint16_t{});
    case NpyType::kInt32:
      return visit(int32_t{});
    case NpyType::kUint32:
      return visit(uint32_t{});
    case NpyType::kInt64:
      return visit(int64_t{});
    case NpyType::kUint64:
      return visit(uint64_t{});
    case NpyType::kFloat16:
      return visit(Half{});
    case NpyType::kFloat32:
      return visit(float{});
    case NpyType::kFloat64:
      break;
  }
  return visit(double{});
}

// The same for a tensor that can be fed (DescribeInputs has checked).
template <typename Visit>
auto VisitTensor(TensorType type, Visit&& visit) {
  switch (type) {
    case TensorType::kBool:
    case TensorType::kUint8:
      return visit(uint8_t{});
    case TensorType::kInt8:
      return visit(int8_t{});
    case TensorType::kInt16:
      return visit(int16_t{});
    case TensorType::kUint16:
      return visit(uint16_t{});
    case TensorType::kInt32:
      return visit(int32_t{});
    case TensorType::kUint32:
      return visit(uint32_t{});
    case TensorType::kInt64:
      return visit(int64_t{});
    case TensorType::kUint64:
      return visit(uint64_t{});
    case TensorType::kFloat16:
      return visit(Half{});
    case TensorType::kFloat64:
      return visit(double{});
    default:
      return visit(float{});
  }
}

template <typename T>
T Load(absl::Span<const uint8_t> bytes, size_t i) {
  T value;
  memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
  return value;
}

template <typename T>
void Store(absl::Span<uint8_t> bytes, size_t i, T value) {
  memcpy(bytes.data() + i * sizeof(T), &value, sizeof(T));
}

bool IsFloatTensor(TensorType type) {
  return type == TensorType::kFloat32 || type == TensorType::kFloat64 || type == TensorType::kFloat16;
}

absl::Status Invalid(const std::string& text) {
  return MakeError(absl::StatusCode::kInvalidArgument, "DATA_INVALID", text);
}

absl::Status NotFinite(size_t i, double value) {
  return Invalid(absl::StrFormat("element %d is %s; expected finite numbers: clean the data", i,
                                 std::isnan(value) ? "NaN" : "infinite"));
}

// The nearest quantized value, halves to even as numpy rounds.
template <typename T>
T Quantize(double real, const TensorInfo& info) {
  const double q = std::nearbyint(real / double{info.scale}) + static_cast<double>(info.zero_point);
  constexpr double kLow = static_cast<double>(std::numeric_limits<T>::min());
  // The largest double that T holds: the maximum of 64 bits would round up to one that it does not.
  constexpr T kMax = std::numeric_limits<T>::max();
  constexpr double kHigh =
      static_cast<double>(static_cast<T>(kMax - static_cast<T>(static_cast<uint64_t>(kMax) >> 53)));
  return static_cast<T>(std::clamp(q, kLow, kHigh));
}

template <typename From, typename To>
absl::Status ConvertIntegers(absl::Span<const uint8_t> values, const TensorInfo& input, absl::Span<uint8_t> out) {
  const From low = 0;
  for (size_t i = 0; i < static_cast<size_t>(input.elements); ++i) {
    const From value = Load<From>(values, i);
    const To converted = static_cast<To>(value);
    const bool fits = static_cast<From>(converted) == value && (value < low) == (converted < To{0}) &&
                      (input.type != TensorType::kBool || converted <= To{1});
    if (!fits) {
      return Invalid(absl::StrFormat("element %d is %d, which does not fit the input's type %s", i, value,
                                     std::string(TensorTypeName(input.type))));
    }
    Store(out, i, converted);
  }
  return absl::OkStatus();
}

// Stores a real number as the input's type; false if it is not finite there.
template <typename To>
bool StoreReal(double value, const TensorInfo& input, absl::Span<uint8_t> out, size_t i) {
  if constexpr (std::is_integral_v<To>) {
    if (!std::isfinite(value)) return false;
    Store(out, i, Quantize<To>(value, input));
    return true;
  } else {
    const To converted = static_cast<To>(value);
    Store(out, i, converted);
    return std::isfinite(converted);
  }
}

// To a real number, then to the input's type.
template <typename From, typename To>
absl::Status ConvertReals(absl::Span<const uint8_t> values, const TensorInfo& input, const IntegerScaling& scaling,
                          absl::Span<uint8_t> out) {
  const size_t elements = static_cast<size_t>(input.elements);
  if constexpr (std::is_integral_v<From>) {
    const size_t channels = std::max<size_t>(scaling.channel_scale.size(), 1);
    const size_t stride = channels == 1 ? elements : scaling.channel_stride;
    for (size_t begin = 0, channel = 0; begin < elements; begin += stride, channel = (channel + 1) % channels) {
      for (size_t i = begin; i < std::min(begin + stride, elements); ++i) {
        const double value = scaling.Apply(static_cast<double>(Load<From>(values, i)), channel);
        if (!StoreReal<To>(value, input, out, i)) return NotFinite(i, value);
      }
    }
  } else {
    for (size_t i = 0; i < elements; ++i) {
      const double value = static_cast<double>(Load<From>(values, i));
      if (!StoreReal<To>(value, input, out, i)) return NotFinite(i, value);
    }
  }
  return absl::OkStatus();
}

// The common case: floats for a float input are copied and only looked at.
absl::Status CopyFloats(absl::Span<const uint8_t> values, absl::Span<uint8_t> out) {
  memcpy(out.data(), values.data(), out.size());
  for (size_t i = 0; i < out.size() / sizeof(float); ++i) {
    const float value = Load<float>(values, i);
    if (!std::isfinite(value)) return NotFinite(i, double{value});
  }
  return absl::OkStatus();
}

template <typename From, typename To>
absl::Status Convert(absl::Span<const uint8_t> values, const TensorInfo& input,
                     const std::optional<IntegerScaling>& scaling, absl::Span<uint8_t> out) {
  if constexpr (std::is_same_v<To, Half>) {
    if constexpr (std::is_same_v<From, Half>) {
      memcpy(out.data(), values.data(), out.size());
      for (size_t i = 0; i < out.size() / sizeof(Half); ++i) {
        const double value = static_cast<double>(Load<Half>(values, i));
        if (!std::isfinite(value)) return NotFinite(i, value);
      }
    }
    return absl::OkStatus();
  } else if constexpr (std::is_same_v<From, float> && std::is_same_v<To, float>) {
    return CopyFloats(values, out);
  } else if constexpr (std::is_integral_v<From> && std::is_integral_v<To>) {
    if (scaling && input.scale > 0) return ConvertReals<From, To>(values, input, *scaling, out);
    return ConvertIntegers<From, To>(values, input, out);
  } else {
    return ConvertReals<From, To>(values, input, scaling.value_or(IntegerScaling{}), out);
  }
}

}  // namespace

absl::Status CheckConvertible(NpyType from, const TensorInfo& input, const std::optional<IntegerScaling>& scaling) {
  const std::string expected(TensorTypeName(input.type));
  const std::string found(NameOf(from));
  if (input.type == TensorType::kFloat16) {
    if (from == NpyType::kFloat16) return absl::OkStatus();
    return Invalid(absl::StrFormat("expected float16 for the model's FLOAT16 input, found %s", found));
  }
  if (IsFloatTensor(input.type)) {
    if (IsFloat(from) || scaling) return absl::OkStatus();
    return MakeError(
        absl::StatusCode::kInvalidArgument, "DATA_NEEDS_SCALE",
        absl::StrFormat("found integers (%s) for a %s input: say how they become real numbers with --scale S and "
                        "--mean M, (value - M) * S, for example --scale 0.00392157 --mean 0 for 0..255 to "
                        "0..1; or save the data as the float32 values that the model takes",
                        found, expected));
  }
  if (IsFloat(from) && input.scale <= 0) {
    return Invalid(absl::StrFormat("expected integers for the model's %s input, found %s", expected, found));
  }
  return absl::OkStatus();
}

absl::Status ConvertValues(absl::Span<const uint8_t> values, NpyType from, const TensorInfo& input,
                           const std::optional<IntegerScaling>& scaling, absl::Span<uint8_t> out) {
  return VisitNpy(from, [&](auto source) {
    return VisitTensor(input.type, [&](auto target) {
      return Convert<decltype(source), decltype(target)>(values, input, scaling, out);
    });
  });
}

double NumberAt(NpyType type, absl::Span<const uint8_t> bytes, size_t i) {
  return VisitNpy(type, [&](auto kind) { return static_cast<double>(Load<decltype(kind)>(bytes, i)); });
}

std::pair<double, double> FindExtremes(NpyType type, absl::Span<const uint8_t> bytes) {
  return VisitNpy(type, [&](auto kind) {
    using T = decltype(kind);
    using Number = std::conditional_t<std::is_same_v<T, Half>, double, T>;
    Number low = static_cast<Number>(Load<T>(bytes, 0)), high = low;
    for (size_t i = 1; i < bytes.size() / sizeof(T); ++i) {
      const Number value = static_cast<Number>(Load<T>(bytes, i));
      low = value < low ? value : low;
      high = value > high ? value : high;
    }
    return std::pair(static_cast<double>(low), static_cast<double>(high));
  });
}

double RealValue(const TensorInfo& info, absl::Span<const uint8_t> bytes, size_t i) {
  const double value =
      VisitTensor(info.type, [&](auto type) { return static_cast<double>(Load<decltype(type)>(bytes, i)); });
  if (IsFloatTensor(info.type) || info.scale <= 0) return value;
  return (value - static_cast<double>(info.zero_point)) * double{info.scale};
}

absl::Status ConvertInput(const TensorInfo& from, absl::Span<const uint8_t> bytes, const TensorInfo& to,
                          std::vector<uint8_t>* out) {
  const auto differ = [&] {
    return MakeError(absl::StatusCode::kInvalidArgument, "MODELS_DIFFER",
                     absl::StrFormat("input '%s' is %s with %d elements in one model and %s with %d in the other",
                                     DisplayName(from), std::string(TensorTypeName(from.type)), from.elements,
                                     std::string(TensorTypeName(to.type)), to.elements));
  };
  if (from.elements != to.elements) return differ();
  const bool same_scale = from.scale == to.scale && from.zero_point == to.zero_point;
  if (from.type == to.type && (same_scale || IsFloatTensor(from.type))) {
    out->assign(bytes.begin(), bytes.end());
    return absl::OkStatus();
  }
  const bool from_real = IsFloatTensor(from.type) || from.scale > 0;
  const bool to_real = IsFloatTensor(to.type) || to.scale > 0;
  if (!from_real || !to_real || to.type == TensorType::kFloat16) return differ();
  out->resize(to.size_bytes);
  for (size_t i = 0; i < static_cast<size_t>(to.elements); ++i) {
    const double value = RealValue(from, bytes, i);
    VisitTensor(to.type, [&](auto type) {
      using To = decltype(type);
      if constexpr (std::is_integral_v<To>) {
        Store(absl::MakeSpan(*out), i, Quantize<To>(value, to));
      } else if constexpr (!std::is_same_v<To, Half>) {
        Store(absl::MakeSpan(*out), i, static_cast<To>(value));
      }
    });
  }
  return absl::OkStatus();
}

}  // namespace lathe
