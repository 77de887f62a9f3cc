#ifndef LATHE_OPTIMIZER_MATH_CLIPPING_ERROR_H_
#define LATHE_OPTIMIZER_MATH_CLIPPING_ERROR_H_

#include "optimizer/math/histogram.h"
#include "optimizer/math/quantize.h"

namespace lathe::math {

// What int8 does to the values of a histogram.
struct ClippingError {
  // Of all values, exact zeros included, those beyond the lowest or highest level by more than half a step: they are
  // cut off, not rounded. 0 .. 1.
  double clipped_share = 0;
  // Means over all values: of their squares, and of the squared error. That is the square of what is cut off of those
  // beyond, step^2 / 12 of the others, and nothing of exact zeros.
  double signal = 0, error = 0;
};

// Values count as the middle of their bin. An empty histogram has no error.
ClippingError MeasureClipping(const Histogram& histogram, AffineParams int8);

// The real values that the lowest and highest level of int8 stand for.
double LowestValue(AffineParams int8);
double HighestValue(AffineParams int8);

}  // namespace lathe::math

#endif  // LATHE_OPTIMIZER_MATH_CLIPPING_ERROR_H_
