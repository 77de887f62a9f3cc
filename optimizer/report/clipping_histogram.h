#ifndef LATHE_OPTIMIZER_REPORT_CLIPPING_HISTOGRAM_H_
#define LATHE_OPTIMIZER_REPORT_CLIPPING_HISTOGRAM_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace lathe {

// How often each value of a float activation was seen while calibrating, and which of them its int8 range holds.
struct ClippingHistogram {
  std::string name;                       // of the tensor in the input file
  double min = 0, max = 0;                // seen
  double chosen_min = 0, chosen_max = 0;  // what the lowest and highest level stand for
  double scale = 1;
  int32_t zero_point = 0;
  double clipped_share = 0;       // of the counted values, 0 .. 1
  std::optional<double> sqnr_db;  // of the tensor alone, expected; absent: no signal or no error
  uint64_t values = 0;            // counted
  std::vector<uint32_t> counts;   // bins of equal width from `min` to `max`
};

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_REPORT_CLIPPING_HISTOGRAM_H_
