#include <gtest/gtest.h>

#include "tests/fuzz/network_check.h"
#include "tests/support/temp_dir.h"

namespace lathe {
namespace {

// tools/fuzz-networks runs thousands.
TEST(RandomNetworksTest, EverySchemeStaysWithinItsBound) {
  const TempDir scratch;
  for (uint32_t seed = 1; seed <= 300; ++seed) {
    const auto findings = CheckNetwork(seed, scratch.path());
    ASSERT_TRUE(findings.ok()) << findings.status();
    for (const NetworkFinding& finding : *findings) {
      ADD_FAILURE() << "seed " << finding.seed << ", " << finding.scheme << ": " << finding.what;
    }
  }
}

}  // namespace
}  // namespace lathe
