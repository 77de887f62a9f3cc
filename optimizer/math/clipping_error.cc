#include "optimizer/math/clipping_error.h"

#include <algorithm>

namespace lathe::math {

double LowestValue(AffineParams int8) { return double{int8.scale} * (-128 - int8.zero_point); }
double HighestValue(AffineParams int8) { return double{int8.scale} * (127 - int8.zero_point); }

ClippingError MeasureClipping(const Histogram& histogram, AffineParams int8) {
  const double step = int8.scale, low = LowestValue(int8), high = HighestValue(int8);
  double clipped = 0, signal = 0, error = 0, total = static_cast<double>(histogram.zeros());
  for (size_t bin = 0; bin < Histogram::kBins; ++bin) {
    if (histogram.count(bin) == 0) continue;
    const auto count = static_cast<double>(histogram.count(bin));
    const double value = histogram.center(bin);
    const double beyond = std::max(low - value, value - high);
    total += count;
    signal += count * value * value;
    if (beyond > step / 2) {
      clipped += count;
      error += count * beyond * beyond;
    } else {
      error += count * step * step / 12;
    }
  }
  if (total == 0) return {};
  return {.clipped_share = clipped / total, .signal = signal / total, .error = error / total};
}

}  // namespace lathe::math
