#ifndef LATHE_TESTS_FUZZ_RANDOM_NETWORK_H_
#define LATHE_TESTS_FUZZ_RANDOM_NETWORK_H_

#include <cstdint>

#include "optimizer/model/model.h"

namespace lathe {

// A small float network of 3 to 14 random operators, the same for a seed on every machine: one input [1, h, w, c],
// random weights that keep values near 1, branches that meet again or become outputs of their own. Draws from every
// kind of operator that some scheme quantizes, and from some that none does. Left out because no bound could be
// stated: operators that jump (FLOOR, ROUND, comparisons) or are steep where random values fall (DIV by an activation,
// LOG, RSQRT).
Model MakeRandomNetwork(uint32_t seed);

}  // namespace lathe

#endif  // LATHE_TESTS_FUZZ_RANDOM_NETWORK_H_
