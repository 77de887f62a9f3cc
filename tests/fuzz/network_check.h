#ifndef LATHE_TESTS_FUZZ_NETWORK_CHECK_H_
#define LATHE_TESTS_FUZZ_NETWORK_CHECK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "common/status.h"

namespace lathe {

// How far a scheme may be from the float model on random networks, on the 16 samples that it was calibrated with. An
// output passes when any of these holds:
//   its SQNR, mean removed, is at least sqnr_db_min;
//   no value is further off than error_max times the width of the output's range with 0. For int8 that is two quanta;
//   for int8 only (the exception, which 1 to 3 networks in 100 need): rounding every activation to 8 bits and computing
//   in float (rounded_model.h) is at most 12 dB better. Random networks amplify rounding where they take differences of
//   near-equal tensors or average the fixed 256 levels of SOFTMAX, and no kernel can help that.
struct SchemeBound {
  const char* preset;
  double sqnr_db_min;
  double error_max;
};
const std::vector<SchemeBound>& SchemeBounds();

// What went wrong with one network: an error of a pass or of the runtime, or an output beyond its bound.
struct NetworkFinding {
  uint32_t seed;
  std::string scheme;
  std::string what;  // with the kinds of operators of the network
};

// Makes the network of `seed`, rescales and shifts its channels in every way that the passes know (float outputs must
// stay the same to 1e-4 of the largest), quantizes it by every preset of SchemeBounds that this version supports, and
// runs all of it on the runtime. `only`: one preset, or "equalize"; empty for all. Empty result: everything held.
// FailedPrecondition RUNTIME_MISSING when there is no runtime.
absl::StatusOr<std::vector<NetworkFinding>> CheckNetwork(uint32_t seed, const std::string& scratch_dir,
                                                         const std::string& only = "");

}  // namespace lathe

#endif  // LATHE_TESTS_FUZZ_NETWORK_CHECK_H_
