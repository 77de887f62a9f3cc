#include "runtime/process_memory.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>

namespace lathe {
namespace {

constexpr size_t kBytes = size_t{32} << 20;

TEST(MemoryMeterTest, SeesWhatIsHeldAndWhatWasHeld) {
  const MemoryMeter meter;
  void* block = malloc(kBytes);
  memset(block, 1, kBytes);
  EXPECT_GE(meter.HeapBytes(), kBytes);
  free(block);
  EXPECT_LT(meter.HeapBytes(), kBytes / 4);
  if (meter.PeakRssBytes().has_value()) {
    EXPECT_GE(*meter.PeakRssBytes(), kBytes);
  }
}

TEST(PeakRssBytesTest, OutlivesMeters) {
  void* block = malloc(kBytes);
  memset(block, 1, kBytes);
  const uint64_t peak = PeakRssBytes();
  free(block);
  const MemoryMeter meter;
  EXPECT_GE(PeakRssBytes(), peak);
}

}  // namespace
}  // namespace lathe
