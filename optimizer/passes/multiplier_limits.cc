#include "optimizer/passes/multiplier_limits.h"

#include <algorithm>

namespace lathe {
namespace {

// XNNPACK's bounds, less a part in a thousand for the rounding of scales to float.
constexpr double kRequantizationMax = 256 * 0.999;
// The int16 kernels take shifts below 8, that is multipliers below 128.
constexpr double kRequantizationMax16 = 128 * 0.999;
constexpr double kAddRatioMax = 256 * 0.999, kAddRatioMin = 0x1p-10 * 1.001;
constexpr double kMulRatioMax = 256 * 0.999, kMulRatioMin = 0x1p-16 * 1.001;
// The int16 kernel shifts sums left by 15 bits and demands a multiplier below 1 after that.
constexpr double kAddRatioMax16 = 0x1p13;

// The kernel doubles the larger scale, shifts both operands left by 7 bits, and ends the process unless the multiplier
// of the square, (2 s)^2 / (2^14 * result), is below 1.
constexpr double kSquareRatioMax = 0x1p12 * 0.999;

// Prepare refuses a multiplier of 1 or more after a shift left by 7 bits.
constexpr double kHardSwishRatioMax = 0x1p7 * 0.999;

using Side = ScaleDemand::Side;

void RequireResult(double least, double result_scale, std::vector<ScaleDemand>& demands) {
  if (result_scale < least) demands.push_back({.side = Side::kResult, .operand = 0, .scale_min = least});
}

}  // namespace

std::vector<ScaleDemand> FindScaleDemands(OpKind kind, int bits, const std::function<double(size_t)>& scale,
                                          double result_scale, double weight_scale_max, size_t data_operand) {
  std::vector<ScaleDemand> demands;
  if (weight_scale_max > 0) {
    const double bound = bits == 16 ? kRequantizationMax16 : kRequantizationMax;
    RequireResult(scale(data_operand) * weight_scale_max / bound, result_scale, demands);
    return demands;
  }
  switch (kind) {
    case OpKind::kAdd:
    case OpKind::kSub: {
      const double largest = std::max(scale(0), scale(1));
      RequireResult(largest / (bits == 16 ? kAddRatioMax16 : kAddRatioMax), result_scale, demands);
      for (size_t i : {size_t{0}, size_t{1}}) {
        const double least = result_scale * kAddRatioMin;
        if (bits == 8 && scale(i) < least)
          demands.push_back({.side = Side::kOperand, .operand = i, .scale_min = least});
      }
      break;
    }
    case OpKind::kMul: {
      const double product = scale(0) * scale(1);
      RequireResult(product / kMulRatioMax, result_scale, demands);
      const double least = result_scale * kMulRatioMin;
      if (bits == 8 && product < least) {
        for (size_t i : {size_t{0}, size_t{1}}) {
          demands.push_back({.side = Side::kOperand, .operand = i, .scale_min = least / scale(1 - i)});
        }
      }
      break;
    }
    case OpKind::kSquaredDifference: {
      const double largest = std::max(scale(0), scale(1));
      RequireResult(largest * largest / kSquareRatioMax, result_scale, demands);
      break;
    }
    case OpKind::kHardSwish:
      if (bits == 8) RequireResult(scale(0) / kHardSwishRatioMax, result_scale, demands);
      break;
    default:
      break;
  }
  return demands;
}

}  // namespace lathe
