#include "runtime/process_memory.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace lathe {
namespace {

constexpr size_t kBytes = size_t{32} << 20;

TEST(MemoryMeterTest, SeesWhatIsHeldAndWhatWasHeld) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "AddressSanitizer's allocator does not say what it holds";
#endif
  const MemoryMeter meter;
  auto block = std::make_unique<std::vector<char>>(kBytes, '\1');
  EXPECT_EQ(block->at(kBytes / 2), '\1');
  EXPECT_GE(meter.HeapBytes(), kBytes);
  block.reset();
  EXPECT_LT(meter.HeapBytes(), kBytes / 4);
  if (meter.PeakRssBytes().has_value()) {
    // The kernel counts pages of a thread in batches: some may not be in the sum yet.
    EXPECT_GE(*meter.PeakRssBytes(), kBytes * 9 / 10);
  }
}

TEST(PeakRssBytesTest, OutlivesMeters) {
  auto block = std::make_unique<std::vector<char>>(kBytes, '\1');
  EXPECT_EQ(block->at(kBytes / 2), '\1');
  const uint64_t peak = PeakRssBytes();
  block.reset();
  const MemoryMeter meter;
  EXPECT_GE(PeakRssBytes(), peak);
}

}  // namespace
}  // namespace lathe
