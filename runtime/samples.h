#ifndef LATHE_RUNTIME_SAMPLES_H_
#define LATHE_RUNTIME_SAMPLES_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/status.h"
#include "optimizer/model/model.h"
#include "optimizer/recipe/preprocessing.h"
#include "runtime/interpreter.h"
#include "runtime/npy.h"

namespace lathe {

// What the labels of a data file are: its column `label`, else `labels`.
struct LabelColumn {
  std::string name;
  NpyType type = NpyType::kInt64;
  std::vector<int64_t> shape;  // of one sample's label; empty: one number
  size_t elements = 1;
  size_t size_bytes = 8;
};

// One sample: the bytes of every model input in the input's own type, in the order of subgraph 0's inputs.
struct Sample {
  size_t index = 0;  // 0 .. size() - 1
  std::vector<std::vector<uint8_t>> inputs;
  std::vector<uint8_t>
      label;  // labels()->size_bytes as they lie in the file; see NumberAt. Empty: none wanted or there
};

// A stream of samples, never held in memory together. Thread-safe: several threads may pull.
class SampleSource {
 public:
  virtual ~SampleSource() = default;

  // Fills the next sample (reusing its memory) and returns true, or false at the end. Samples come in index order;
  // which thread gets which is open. INVALID_ARGUMENT (DATA_INVALID): the data has a wrong value; naming file, column,
  // sample. After an error the source is at its end.
  virtual absl::StatusOr<bool> Next(Sample* sample) = 0;
  // Passes over the next sample, whose values are not looked at; false at the end.
  virtual absl::StatusOr<bool> Skip() = 0;
  // Back to the first sample. REQUIRES: no Next is running.
  virtual absl::Status Rewind() = 0;
  // How many samples Next gives from the start.
  virtual size_t size() const = 0;
  // True when the samples are made up: they never decide a gate.
  virtual bool synthetic() const = 0;
  // What Sample::label holds; nothing when labels were not wanted or, with kIfPresent, the data has none.
  const std::optional<LabelColumn>& labels() const { return labels_; }
  // What the user should know, e.g. about columns that were ignored.
  const std::vector<std::string>& warnings() const { return warnings_; }
  // What the values read so far show that is probably not meant: out of the model's range, constant, repeated, labels
  // outside the classes. To be asked for at the end of the work.
  virtual std::vector<std::string> FindValueWarnings() const { return {}; }

 protected:
  std::optional<LabelColumn> labels_;
  std::vector<std::string> warnings_;
};

struct SampleOptions {
  Preprocessing preprocessing;  // REQUIRES: no violations
  // A data file with more samples gives so many of them, drawn by the seed and in the file's order; 0: all.
  uint64_t sample_limit = 0;
  uint64_t seed = 0;
  // kIfPresent: given if the data has them. kRequired: else an error.
  enum class Labels { kIgnore, kIfPresent, kRequired };
  Labels labels = Labels::kIgnore;
  // Of synthetic samples.
  double input_low = 0, input_high = 1;
  // A data set that unpacks to more is refused: sixteen times what a server takes as a file. It is read in pieces, so
  // the limit is one of time.
  uint64_t total_bytes_max = uint64_t{64} << 30;
};

// The data file at `path` (.npz, .npy, Parquet, Arrow IPC; by its contents) as samples for the model's inputs.
// Arrays match an input by tensor or signature name. `label` and `labels` are not inputs unless one is called so. For a
// model of one input the only array left is taken whatever its name. Elements of one sample must be as many as the
// input's without its batch dimension. Real numbers convert to the input's type when they fit it exactly (floats may
// round); images, encoded or uint8, go through the preprocessing first. INVALID_ARGUMENT: DATA_INVALID (not a data
// file, damaged, a wrong column, shape, type, NaN or infinity) or DATA_NEEDS_SCALE (integers for a float input and
// neither scale nor mean given) or DATA_NO_LABELS (required, not there); naming file and column, what was expected,
// found and what to do. NOT_FOUND: no such file.
absl::StatusOr<std::unique_ptr<SampleSource>> OpenSamples(const Model& model, const std::string& path,
                                                          const SampleOptions& options);

// 16 made-up samples from the seed (sample_limit: fewer): floats uniform in [input_low, input_high), integers uniform
// over the rows of the table that they index, else 0 or 1; quantized integers are what such floats quantize to.
// INVALID_ARGUMENT (BAD_REQUEST): not input_low < input_high, or not finite.
absl::StatusOr<std::unique_ptr<SampleSource>> MakeSyntheticSamples(const Model& model, const SampleOptions& options);

// For integer input `input` of subgraph 0: how many rows the smallest constant table has that it indexes through
// GATHER or EMBEDDING_LOOKUP, followed through operators that only move values; nothing if it indexes none.
std::optional<int64_t> FindIndexedRows(const Model& model, TensorId input);

}  // namespace lathe

#endif  // LATHE_RUNTIME_SAMPLES_H_
