#ifndef LATHE_OPTIMIZER_REPORT_SIZE_REPORT_H_
#define LATHE_OPTIMIZER_REPORT_SIZE_REPORT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace lathe {

// Constants that something has in common.
struct WeightGroup {
  std::string name;  // CONV_2D; or int8
  uint64_t bytes = 0, weights = 0, tensors = 0, zeros = 0;
};

struct WeightTensor {
  std::string name;
  std::string op;  // kind that reads it; "": none does
  std::string type;
  std::vector<int32_t> shape;
  uint64_t bytes = 0, weights = 0, zeros = 0;
  std::optional<uint64_t> distinct_values;  // absent above 4,096 in types of 32 and 64 bits
  std::optional<double> entropy_bits;       // a weight; absent with distinct_values
};

// Where the bytes of one file are.
struct SizeOfModel {
  uint64_t bytes = 0, weights_bytes = 0, metadata_bytes = 0;
  // Absent: not measured. gzip's is estimated of large files.
  std::optional<uint64_t> gzip_bytes, zstd_bytes;
  bool gzip_estimated = false;
  uint64_t weights = 0, zeros = 0;
  std::vector<WeightGroup> by_operator, by_type;  // most bytes first
  std::vector<WeightTensor> tensors;              // the largest, largest first
};

struct SizeReport {
  std::optional<SizeOfModel> input, output;
};

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_REPORT_SIZE_REPORT_H_
