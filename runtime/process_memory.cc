#include "runtime/process_memory.h"

#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <string>

namespace lathe {
namespace {

// The peak before the kernel's own was reset.
std::atomic<uint64_t> earlier_peak_bytes{0};

// Of a line of /proc/self/status such as "VmHWM:", in bytes.
uint64_t StatusBytes(const std::string& key) {
  // Not getrusage: Linux hands ru_maxrss of the parent down to a spawned child.
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind(key, 0) == 0) return strtoull(line.c_str() + key.size(), nullptr, 10) * 1024;
  }
  return 0;
}

uint64_t HeapBytesNow() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

// Makes the kernel count the peak from now on; see proc(5).
bool ResetPeak() {
  std::ofstream file("/proc/self/clear_refs");
  file << "5" << std::flush;
  return file.good();
}

}  // namespace

uint64_t PeakRssBytes() { return std::max(earlier_peak_bytes.load(), StatusBytes("VmHWM:")); }

MemoryMeter::MemoryMeter() {
  malloc_trim(0);
  earlier_peak_bytes = lathe::PeakRssBytes();
  peak_was_reset_ = ResetPeak();
  heap_bytes_ = HeapBytesNow();
  rss_bytes_ = StatusBytes("VmRSS:");
}

uint64_t MemoryMeter::HeapBytes() const {
  const uint64_t now = HeapBytesNow();
  return now > heap_bytes_ ? now - heap_bytes_ : 0;
}

std::optional<uint64_t> MemoryMeter::PeakRssBytes() const {
  if (!peak_was_reset_) return std::nullopt;
  const uint64_t peak = StatusBytes("VmHWM:");
  return peak > rss_bytes_ ? peak - rss_bytes_ : 0;
}

}  // namespace lathe
