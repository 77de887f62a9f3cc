// fuzz_networks COUNT SEED DIR [ONLY]: checks the networks of SEED, SEED + 1, ... (network_check.h) with scratch files
// in DIR. Prints one line a finding; ends with 1 if there was any. DIR/seed holds the seed of a crash.

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "tests/fuzz/network_check.h"

int main(int argc, char** argv) {
  if (argc != 4 && argc != 5) {
    std::fputs("usage: fuzz_networks COUNT SEED DIR [ONLY]\n", stderr);
    return 2;
  }
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const long count = std::atol(argv[1]);
  const auto first = static_cast<uint32_t>(std::atol(argv[2]));
  size_t findings = 0;
  for (long i = 0; i < count; ++i) {
    const uint32_t seed = first + static_cast<uint32_t>(i);
    std::ofstream(std::string(argv[3]) + "/seed") << seed << "\n";  // flushed before a crash
    const auto result = lathe::CheckNetwork(seed, argv[3], argc == 5 ? argv[4] : "");
    if (!result.ok()) {
      std::fprintf(stderr, "seed %u: %s\n", seed, result.status().ToString().c_str());
      return 1;
    }
    for (const lathe::NetworkFinding& finding : *result) {
      std::printf("seed %u, %s: %s\n", finding.seed, finding.scheme.c_str(), finding.what.c_str());
    }
    findings += result->size();
  }
  std::printf("%ld networks from seed %u: %zu findings\n", count, first, findings);
  return findings == 0 ? 0 : 1;
}
