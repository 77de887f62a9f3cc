#include "optimizer/math/value_counts.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "common/parallel.h"

namespace lathe {
namespace {

// Bytes that one task takes: small tables for each are worth it, and a model's tensors still spread over the cores.
constexpr size_t kGrain = size_t{1} << 20;

double Entropy(const std::vector<uint64_t>& counts, uint64_t values) {
  double bits = 0;
  for (uint64_t count : counts) {
    if (count == 0) continue;
    const double share = static_cast<double>(count) / static_cast<double>(values);
    bits -= share * std::log2(share);
  }
  return bits;
}

// How often each pattern of 8 or 16 bits occurs.
template <typename Value>
std::vector<uint64_t> Histogram(absl::Span<const uint8_t> bytes) {
  constexpr size_t kPatterns = size_t{1} << (8 * sizeof(Value));
  // The larger table takes a quarter of a megabyte.
  constexpr size_t kTaskBytes = sizeof(Value) == 1 ? kGrain : 8 * kGrain;
  std::vector<std::vector<uint32_t>> parts((bytes.size() + kTaskBytes - 1) / kTaskBytes);
  ParallelForRanges(bytes.size(), kTaskBytes, [&](size_t begin, size_t end) {
    // Four tables: equal neighbours do not wait for each other.
    constexpr size_t kTables = sizeof(Value) == 1 ? 4 : 1;
    std::vector<uint32_t> counts(kTables * kPatterns, 0);
    const size_t count = (end - begin) / sizeof(Value);
    for (size_t i = 0; i < count; ++i) {
      Value value;
      memcpy(&value, bytes.data() + begin + i * sizeof(Value), sizeof(Value));
      ++counts[i % kTables * kPatterns + value];
    }
    for (size_t i = kPatterns; i < counts.size(); ++i) counts[i % kPatterns] += counts[i];
    counts.resize(kPatterns);
    parts[begin / kTaskBytes] = std::move(counts);
  });
  std::vector<uint64_t> sum(kPatterns, 0);
  for (const std::vector<uint32_t>& part : parts) {
    for (size_t i = 0; i < kPatterns; ++i) sum[i] += part[i];
  }
  return sum;
}

// Patterns of fewer than 8 bits, from how often each byte occurs.
std::vector<uint64_t> Unpack(const std::vector<uint64_t>& bytes, int bits) {
  std::vector<uint64_t> counts(size_t{1} << bits, 0);
  for (size_t byte = 0; byte < bytes.size(); ++byte) {
    for (int shift = 0; shift < 8; shift += bits) counts[(byte >> shift) & (counts.size() - 1)] += bytes[byte];
  }
  return counts;
}

// Different patterns and how often each occurs, up to kDistinctMax of them.
template <typename Value>
class PatternTable {
 public:
  // False, and the table is of no more use: there are too many patterns.
  bool Add(Value value) {
    size_t slot = (value * uint64_t{0x9E3779B97F4A7C15}) >> (64 - kSlotBits);
    while (counts_[slot] != 0 && values_[slot] != value) slot = (slot + 1) % kSlots;
    if (counts_[slot]++ == 0) {
      values_[slot] = value;
      ++distinct_;
    }
    return distinct_ <= kDistinctMax;
  }
  uint64_t distinct() const { return distinct_; }
  const std::vector<uint64_t>& counts() const { return counts_; }

 private:
  static constexpr int kSlotBits = 14;
  static constexpr size_t kSlots = size_t{1} << kSlotBits;
  std::vector<Value> values_ = std::vector<Value>(kSlots);
  std::vector<uint64_t> counts_ = std::vector<uint64_t>(kSlots, 0);
  uint64_t distinct_ = 0;
};

template <typename Value>
uint64_t CountZeros(absl::Span<const uint8_t> bytes, Value zero, Value mask) {
  std::vector<uint64_t> parts((bytes.size() + kGrain - 1) / kGrain, 0);
  ParallelForRanges(bytes.size(), kGrain, [&](size_t begin, size_t end) {
    uint64_t zeros = 0;
    for (size_t i = 0; i < (end - begin) / sizeof(Value); ++i) {
      Value value;
      memcpy(&value, bytes.data() + begin + i * sizeof(Value), sizeof(Value));
      zeros += (value & mask) == zero ? 1 : 0;
    }
    parts[begin / kGrain] = zeros;
  });
  uint64_t sum = 0;
  for (uint64_t part : parts) sum += part;
  return sum;
}

template <typename Value>
ValueCounts CountWide(absl::Span<const uint8_t> bytes, uint64_t zero, bool is_float) {
  ValueCounts counts;
  counts.values = bytes.size() / sizeof(Value);
  const Value sign = static_cast<Value>(is_float ? Value{1} << (8 * sizeof(Value) - 1) : 0);
  counts.zeros = CountZeros<Value>(bytes, static_cast<Value>(is_float ? 0 : zero), static_cast<Value>(~sign));
  PatternTable<Value> table;
  for (size_t i = 0; i < counts.values; ++i) {
    Value value;
    memcpy(&value, bytes.data() + i * sizeof(Value), sizeof(Value));
    if (!table.Add(value)) return counts;
  }
  counts.distinct = table.distinct();
  counts.entropy_bits = Entropy(table.counts(), counts.values);
  return counts;
}

}  // namespace

ValueCounts CountValues(absl::Span<const uint8_t> bytes, int bits, uint64_t zero, bool is_float) {
  if (bits == 32) return CountWide<uint32_t>(bytes.subspan(0, bytes.size() / 4 * 4), zero, is_float);
  if (bits == 64) return CountWide<uint64_t>(bytes.subspan(0, bytes.size() / 8 * 8), zero, is_float);
  std::vector<uint64_t> histogram = bits == 16 ? Histogram<uint16_t>(bytes) : Histogram<uint8_t>(bytes);
  if (bits < 8) histogram = Unpack(histogram, bits);
  ValueCounts counts;
  for (uint64_t count : histogram) {
    counts.values += count;
    counts.distinct = counts.distinct.value_or(0) + (count > 0 ? 1 : 0);
  }
  counts.zeros = is_float ? histogram[0] + histogram[histogram.size() / 2] : histogram[zero % histogram.size()];
  counts.entropy_bits = Entropy(histogram, counts.values);
  return counts;
}

}  // namespace lathe
