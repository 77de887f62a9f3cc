#include "runtime/npz_samples.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_join.h"

namespace lathe {

namespace {

absl::Status Invalid(const std::string& text) {
  return MakeError(absl::StatusCode::kInvalidArgument, "DATA_INVALID", text);
}

bool IsLabel(const std::string& name) { return name == "label" || name == "labels"; }

std::string ShapeText(const std::vector<int64_t>& shape) { return "[" + absl::StrJoin(shape, ",") + "]"; }
std::string ShapeText(const std::vector<int32_t>& shape) { return "[" + absl::StrJoin(shape, ",") + "]"; }

}  // namespace

absl::StatusOr<std::unique_ptr<SampleSource>> NpzSamples::Open(const Model& model, const std::string& path,
                                                               const SampleOptions& options) {
  auto samples = std::make_unique<NpzSamples>();
  samples->file_name_ = path.substr(path.rfind('/') + 1);
  if (options.scale || options.mean) {
    samples->scaling_ = IntegerScaling{options.scale.value_or(1), options.mean.value_or(0)};
  }
  LATHE_ASSIGN_OR_RETURN(samples->inputs_, DescribeInputs(model));
  LATHE_ASSIGN_OR_RETURN(samples->file_, NpzFile::Open(path, options.total_bytes_max));
  LATHE_RETURN_IF_ERROR(Annotate(samples->MatchColumns(), absl::StrFormat("data file '%s'", samples->file_name_)));
  for (size_t input = 0; input < samples->inputs_.size(); ++input) {
    LATHE_RETURN_IF_ERROR(Annotate(samples->CheckColumn(input), samples->Where(input)));
  }
  if (options.sample_limit > 0) samples->count_ = std::min<size_t>(samples->count_, options.sample_limit);
  LATHE_RETURN_IF_ERROR(samples->Rewind());
  return std::unique_ptr<SampleSource>(std::move(samples));
}

std::string NpzSamples::Where(size_t input) const {
  const std::string& name = file_->arrays()[columns_[input].array].name;
  if (name.empty()) return absl::StrFormat("data file '%s'", file_name_);
  return absl::StrFormat("data file '%s', column '%s'", file_name_, name);
}

absl::Status NpzSamples::MatchColumns() {
  const std::vector<NpzFile::Array>& arrays = file_->arrays();
  constexpr size_t kNone = static_cast<size_t>(-1);
  std::vector<bool> used(arrays.size(), false);
  std::vector<size_t> matches(inputs_.size(), kNone);
  for (size_t input = 0; input < inputs_.size(); ++input) {
    for (const std::string* name : {&inputs_[input].signature_name, &inputs_[input].name}) {
      for (size_t a = 0; a < arrays.size() && matches[input] == kNone; ++a) {
        if (!used[a] && !name->empty() && arrays[a].name == *name) matches[input] = a;
      }
    }
    if (matches[input] != kNone) used[matches[input]] = true;
  }
  std::vector<std::string> unmatched_names, missing;
  std::vector<size_t> unmatched;
  for (size_t a = 0; a < arrays.size(); ++a) {
    if (used[a] || IsLabel(arrays[a].name)) continue;
    unmatched.push_back(a);
    unmatched_names.push_back("'" + arrays[a].name + "'");
  }
  for (size_t input = 0; input < inputs_.size(); ++input) {
    if (matches[input] == kNone) missing.push_back("'" + DisplayName(inputs_[input]) + "'");
  }
  if (missing.size() == 1 && inputs_.size() == 1 && unmatched.size() == 1) {
    matches[0] = unmatched[0];
    unmatched.clear();
  } else if (!missing.empty()) {
    return Invalid(absl::StrFormat("no column for the model's %s %s; found %s: name the columns after the inputs",
                                   missing.size() == 1 ? "input" : "inputs", absl::StrJoin(missing, ", "),
                                   unmatched_names.empty() ? "none but labels" : absl::StrJoin(unmatched_names, ", ")));
  }
  for (size_t a : unmatched) {
    warnings_.push_back(absl::StrFormat("data file '%s': column '%s' matches no input of the model and was ignored",
                                        file_name_, arrays[a].name));
  }
  for (const std::string& name : file_->ignored()) {
    warnings_.push_back(absl::StrFormat("data file '%s': '%s' is no array and was ignored", file_name_, name));
  }
  for (size_t match : matches) columns_.push_back({match, nullptr, {}, {}});
  return absl::OkStatus();
}

absl::Status NpzSamples::CheckColumn(size_t input) {
  const NpyHeader& header = file_->arrays()[columns_[input].array].header;
  const TensorInfo& info = inputs_[input];
  if (header.shape.empty() || header.shape[0] == 0) {
    return Invalid(absl::StrFormat("the array has shape %s and so no samples; the first axis counts samples",
                                   ShapeText(header.shape)));
  }
  const uint64_t count = static_cast<uint64_t>(header.shape[0]);
  const uint64_t row_elements = header.elements / count;
  // A model with a fixed batch gets the sample in every place of the batch.
  const uint64_t elements = static_cast<uint64_t>(info.elements);
  const bool batched = info.shape.size() > 1 && row_elements * static_cast<uint64_t>(info.shape[0]) == elements;
  if (row_elements != elements && !batched) {
    return Invalid(absl::StrFormat(
        "expected %d elements a sample for the model's input '%s' of shape %s, found %d: the array has shape %s, "
        "whose first axis counts samples",
        info.elements, DisplayName(info), ShapeText(info.shape), row_elements, ShapeText(header.shape)));
  }
  LATHE_RETURN_IF_ERROR(CheckConvertible(header.type, info, scaling_));
  if (scaling_ && IsFloat(header.type)) {
    warnings_.push_back(Where(input) + ": holds floats; --scale and --mean apply to integers only");
  }
  if (input > 0 && count != count_) {
    return Invalid(absl::StrFormat("has %d samples, the column of the first input has %d", count, count_));
  }
  count_ = count;
  columns_[input].row.resize(row_elements * SizeOf(header.type));
  columns_[input].row_info = info;
  columns_[input].row_info.elements = static_cast<int64_t>(row_elements);
  columns_[input].row_info.size_bytes = info.size_bytes / elements * row_elements;
  return absl::OkStatus();
}

absl::StatusOr<bool> NpzSamples::Next(Sample* sample) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (next_ >= count_) return false;
  // Until the sample is whole: after an error nothing more comes.
  sample->index = std::exchange(next_, count_);
  sample->inputs.resize(inputs_.size());
  for (size_t input = 0; input < inputs_.size(); ++input) {
    Column& column = columns_[input];
    sample->inputs[input].resize(inputs_[input].size_bytes);
    const absl::Span<uint8_t> whole = absl::MakeSpan(sample->inputs[input]);
    const size_t row_bytes = column.row_info.size_bytes;
    absl::Status status = column.stream->Read(absl::MakeSpan(column.row));
    if (status.ok()) {
      status = ConvertValues(column.row, file_->arrays()[column.array].header.type, column.row_info, scaling_,
                             whole.first(row_bytes));
    }
    for (size_t done = row_bytes; status.ok() && done < whole.size(); done += row_bytes) {
      std::copy_n(whole.begin(), row_bytes, whole.begin() + static_cast<ptrdiff_t>(done));
    }
    if (!status.ok()) return Annotate(status, absl::StrFormat("%s, sample %d", Where(input), sample->index));
  }
  next_ = sample->index + 1;
  return true;
}

absl::StatusOr<bool> NpzSamples::Skip() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (next_ >= count_) return false;
  const size_t index = std::exchange(next_, count_);
  for (size_t input = 0; input < inputs_.size(); ++input) {
    if (absl::Status status = columns_[input].stream->Read(absl::MakeSpan(columns_[input].row)); !status.ok()) {
      return Annotate(status, absl::StrFormat("%s, sample %d", Where(input), index));
    }
  }
  next_ = index + 1;
  return true;
}

absl::Status NpzSamples::Rewind() {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (Column& column : columns_) {
    LATHE_ASSIGN_OR_RETURN(column.stream, file_->OpenArray(column.array));
  }
  next_ = 0;
  return absl::OkStatus();
}

}  // namespace lathe
