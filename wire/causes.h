#ifndef LATHE_WIRE_CAUSES_H_
#define LATHE_WIRE_CAUSES_H_

#include <string_view>

#include "lathe/v1/cause.pb.h"
#include "optimizer/report/comparison.h"

namespace lathe {

// As reports name it: "weight range".
std::string_view CauseName(ErrorCause cause);

v1::RankedCause RankedCauseToProto(const RankedCause& cause);

}  // namespace lathe

#endif  // LATHE_WIRE_CAUSES_H_
