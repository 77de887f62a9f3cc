// Compiled by a test twice: as it is it must compile, with LATHE_MIX_IDS it must not.
#include "optimizer/model/ids.h"

namespace lathe {

size_t IndexOf(TensorId id) { return id.index(); }

#ifdef LATHE_MIX_IDS
size_t Mixed() { return IndexOf(OpId(3)); }
#else
size_t Same() { return IndexOf(TensorId(3)); }
#endif

}  // namespace lathe
