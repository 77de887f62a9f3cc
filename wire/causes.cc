#include "wire/causes.h"

#include <algorithm>

namespace lathe {

std::string_view CauseName(ErrorCause cause) {
  switch (cause) {
    case ErrorCause::kWeightRounding:
      return "weight rounding";
    case ErrorCause::kWeightRange:
      return "weight range";
    case ErrorCause::kActivationClipping:
      return "activation clipping";
    case ErrorCause::kActivationRounding:
      return "activation rounding";
    case ErrorCause::kBias:
      return "bias";
    case ErrorCause::kAccumulated:
      return "accumulated";
  }
  return "";
}

v1::RankedCause RankedCauseToProto(const RankedCause& cause) {
  v1::RankedCause message;
  message.set_subgraph(static_cast<uint32_t>(std::max(cause.subgraph, 0)));
  message.set_index(static_cast<uint32_t>(std::max(cause.index, 0)));
  message.set_kind(cause.kind);
  message.set_name(cause.name);
  message.set_cause(std::string(CauseName(cause.cause)));
  message.set_sqnr_db(cause.sqnr_db);
  message.set_share(cause.share);
  message.set_advice(cause.advice);
  return message;
}

}  // namespace lathe
