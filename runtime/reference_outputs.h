#ifndef LATHE_RUNTIME_REFERENCE_OUTPUTS_H_
#define LATHE_RUNTIME_REFERENCE_OUTPUTS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <vector>

#include "runtime/interpreter.h"

namespace lathe {

// What the input model answered to samples, so that it need not answer again whenever another model is measured against
// it. Thread-safe.
class ReferenceOutputs {
 public:
  // Keeps no more than `bytes_max`.
  explicit ReferenceOutputs(uint64_t bytes_max) : bytes_left_(bytes_max) {}

  // Copies the first `count` outputs of the interpreter's last run, unless they do not fit or are known.
  void Keep(size_t sample, const Interpreter& interpreter, size_t count);

  // How many samples are kept.
  size_t size() const;
  // The outputs as the interpreter described them; empty before the first Keep. REQUIRES: no Keep is running.
  const std::vector<TensorInfo>& infos() const { return infos_; }
  // The bytes of each output, as the interpreter gave them. Null: not kept.
  const std::vector<std::vector<uint8_t>>* Find(size_t sample) const;

 private:
  mutable std::mutex mutex_;  // guards what follows
  uint64_t bytes_left_;
  std::vector<TensorInfo> infos_;
  std::map<size_t, std::vector<std::vector<uint8_t>>> by_sample_;  // entries never change
};

}  // namespace lathe

#endif  // LATHE_RUNTIME_REFERENCE_OUTPUTS_H_
