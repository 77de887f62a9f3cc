#ifndef LATHE_WIRE_COMPARISON_H_
#define LATHE_WIRE_COMPARISON_H_

#include "lathe/v1/comparison.pb.h"
#include "optimizer/report/comparison.h"

namespace lathe {

v1::Comparison ComparisonToProto(const ComparisonReport& report);

}  // namespace lathe

#endif  // LATHE_WIRE_COMPARISON_H_
