#include "common/build_id.h"

namespace lathe {
namespace {

#include "common/build_id_values.inc"

}  // namespace

std::string_view Version() { return kVersion; }

std::string_view BuildId() { return kBuildId; }

}  // namespace lathe
