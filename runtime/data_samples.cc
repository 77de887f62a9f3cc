#include "runtime/data_samples.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_join.h"
#include "runtime/sample_subset.h"

namespace lathe {

namespace {

absl::Status Invalid(const std::string& text) {
  return MakeError(absl::StatusCode::kInvalidArgument, "DATA_INVALID", text);
}

bool IsLabel(const std::string& name) { return name == "label" || name == "labels"; }

std::string ShapeText(const std::vector<int64_t>& shape) { return "[" + absl::StrJoin(shape, ",") + "]"; }
std::string ShapeText(const std::vector<int32_t>& shape) { return "[" + absl::StrJoin(shape, ",") + "]"; }

}  // namespace

absl::StatusOr<std::unique_ptr<SampleSource>> DataSamples::Open(const Model& model, const std::string& path,
                                                                const SampleOptions& options) {
  auto samples = std::make_unique<DataSamples>();
  samples->file_name_ = path.substr(path.rfind('/') + 1);
  if (options.scale || options.mean) {
    samples->scaling_ = IntegerScaling{options.scale.value_or(1), options.mean.value_or(0)};
  }
  LATHE_ASSIGN_OR_RETURN(samples->inputs_, DescribeInputs(model));
  LATHE_ASSIGN_OR_RETURN(samples->file_, DataFile::Open(path, options.total_bytes_max));
  LATHE_RETURN_IF_ERROR(Annotate(samples->MatchColumns(), absl::StrFormat("data file '%s'", samples->file_name_)));
  for (size_t input = 0; input < samples->inputs_.size(); ++input) {
    LATHE_RETURN_IF_ERROR(Annotate(samples->CheckInput(input), samples->Where(samples->input_columns_[input].column)));
  }
  LATHE_RETURN_IF_ERROR(samples->FindLabels(options.labels));
  samples->count_ = samples->row_count_;
  if (options.sample_limit > 0) samples->count_ = std::min<size_t>(samples->row_count_, options.sample_limit);
  samples->chosen_ = DrawSamples(samples->row_count_, options.seed, samples->count_);
  LATHE_RETURN_IF_ERROR(samples->Rewind());
  return std::unique_ptr<SampleSource>(std::move(samples));
}

std::string DataSamples::Where(size_t column) const {
  const std::string& name = file_->columns()[column].name;
  if (name.empty()) return absl::StrFormat("data file '%s'", file_name_);
  return absl::StrFormat("data file '%s', column '%s'", file_name_, name);
}

absl::Status DataSamples::MatchColumns() {
  const std::vector<DataColumn>& columns = file_->columns();
  constexpr size_t kNone = static_cast<size_t>(-1);
  std::vector<bool> used(columns.size(), false);
  std::vector<size_t> matches(inputs_.size(), kNone);
  for (size_t input = 0; input < inputs_.size(); ++input) {
    for (const std::string* name : {&inputs_[input].signature_name, &inputs_[input].name}) {
      for (size_t c = 0; c < columns.size() && matches[input] == kNone; ++c) {
        if (!used[c] && !name->empty() && columns[c].name == *name) matches[input] = c;
      }
    }
    if (matches[input] != kNone) used[matches[input]] = true;
  }
  std::vector<std::string> unmatched_names, missing;
  std::vector<size_t> unmatched;
  for (size_t c = 0; c < columns.size(); ++c) {
    if (used[c] || IsLabel(columns[c].name)) continue;
    unmatched.push_back(c);
    unmatched_names.push_back("'" + columns[c].name + "'");
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
  for (size_t c : unmatched) {
    warnings_.push_back(absl::StrFormat("data file '%s': column '%s' matches no input of the model and was ignored",
                                        file_name_, columns[c].name));
  }
  for (const std::string& what : file_->ignored()) {
    warnings_.push_back(absl::StrFormat("data file '%s': %s and was ignored", file_name_, what));
  }
  for (size_t match : matches) {
    input_columns_.push_back({match, {}});
    columns_.push_back(match);
  }
  return absl::OkStatus();
}

absl::Status DataSamples::CheckInput(size_t input) {
  const DataColumn& column = file_->columns()[input_columns_[input].column];
  const TensorInfo& info = inputs_[input];
  if (column.rows() == 0) {
    return Invalid(absl::StrFormat("the array has shape %s and so no samples; the first axis counts samples",
                                   ShapeText(column.shape)));
  }
  const uint64_t row_elements = column.RowElements();
  // A model with a fixed batch gets the sample in every place of the batch.
  const uint64_t elements = static_cast<uint64_t>(info.elements);
  const bool batched = info.shape.size() > 1 && row_elements * static_cast<uint64_t>(info.shape[0]) == elements;
  if (row_elements != elements && !batched) {
    return Invalid(absl::StrFormat(
        "expected %d elements a sample for the model's input '%s' of shape %s, found %d: the array has shape %s, "
        "whose first axis counts samples",
        info.elements, DisplayName(info), ShapeText(info.shape), row_elements, ShapeText(column.shape)));
  }
  LATHE_RETURN_IF_ERROR(CheckConvertible(column.type, info, scaling_));
  if (scaling_ && IsFloat(column.type)) {
    warnings_.push_back(Where(columns_[input]) + ": holds floats; --scale and --mean apply to integers only");
  }
  if (input > 0 && column.rows() != row_count_) {
    return Invalid(absl::StrFormat("has %d samples, the column of the first input has %d", column.rows(), row_count_));
  }
  row_count_ = column.rows();
  TensorInfo& row_info = input_columns_[input].row_info = info;
  row_info.elements = static_cast<int64_t>(row_elements);
  row_info.size_bytes = info.size_bytes / elements * row_elements;
  return absl::OkStatus();
}

absl::Status DataSamples::FindLabels(SampleOptions::Labels wanted) {
  if (wanted == SampleOptions::Labels::kIgnore) return absl::OkStatus();
  const std::vector<DataColumn>& columns = file_->columns();
  for (const char* name : {"labels", "label"}) {
    for (size_t c = 0; c < columns.size(); ++c) {
      const bool is_input = std::find(columns_.begin(), columns_.end(), c) != columns_.end();
      if (columns[c].name == name && !is_input) label_column_ = c;
    }
  }
  if (!label_column_) {
    if (wanted == SampleOptions::Labels::kIfPresent) return absl::OkStatus();
    return MakeError(
        absl::StatusCode::kInvalidArgument, "DATA_NO_LABELS",
        absl::StrFormat("data file '%s' has no column 'label' or 'labels', which the metric needs: add one "
                        "with the expected answer of each sample",
                        file_name_));
  }
  const DataColumn& column = columns[*label_column_];
  if (column.encoded) {
    return Invalid(Where(*label_column_) + ": holds bytes; expected numbers as labels");
  }
  if (column.rows() != row_count_) {
    return Invalid(
        absl::StrFormat("%s: has %d labels for %d samples", Where(*label_column_), column.rows(), row_count_));
  }
  labels_ = LabelColumn{column.name,
                        column.type,
                        {column.shape.begin() + 1, column.shape.end()},
                        column.RowElements(),
                        column.RowBytes()};
  columns_.push_back(*label_column_);
  return absl::OkStatus();
}

absl::StatusOr<std::optional<size_t>> DataSamples::Advance() {
  if (next_ >= count_) return std::nullopt;
  size_t row = next_row_;
  while (!chosen_[row]) ++row;
  if (row == next_row_) return row;
  for (size_t c = 0; c < columns_.size(); ++c) {
    if (absl::Status status = readers_[c]->Skip(row - next_row_); !status.ok()) {
      next_ = count_;
      return Annotate(status, absl::StrFormat("%s, samples %d to %d", Where(columns_[c]), next_row_, row - 1));
    }
  }
  next_row_ = row;
  return row;
}

absl::StatusOr<bool> DataSamples::ReadRow(Row* row, size_t* index, size_t* file_row) {
  const std::lock_guard<std::mutex> lock(mutex_);
  LATHE_ASSIGN_OR_RETURN(const std::optional<size_t> next_row, Advance());
  if (!next_row) return false;
  *file_row = *next_row;
  // Until the row is whole: after an error nothing more comes.
  *index = std::exchange(next_, count_);
  if (!free_rows_.empty()) {
    *row = std::move(free_rows_.back());
    free_rows_.pop_back();
  }
  row->resize(columns_.size());
  for (size_t c = 0; c < columns_.size(); ++c) {
    if (absl::Status status = readers_[c]->Read(&(*row)[c]); !status.ok()) {
      return Annotate(status, absl::StrFormat("%s, sample %d", Where(columns_[c]), *file_row));
    }
  }
  next_ = *index + 1;
  next_row_ = *file_row + 1;
  return true;
}

absl::Status DataSamples::ConvertRow(const Row& row, Sample* sample, size_t file_row) {
  sample->inputs.resize(inputs_.size());
  for (size_t input = 0; input < inputs_.size(); ++input) {
    const InputColumn& column = input_columns_[input];
    sample->inputs[input].resize(inputs_[input].size_bytes);
    const absl::Span<uint8_t> whole = absl::MakeSpan(sample->inputs[input]);
    const size_t row_bytes = column.row_info.size_bytes;
    const absl::Status status = ConvertValues(row[input], file_->columns()[column.column].type, column.row_info,
                                              scaling_, whole.first(row_bytes));
    if (!status.ok()) return Annotate(status, absl::StrFormat("%s, sample %d", Where(column.column), file_row));
    for (size_t done = row_bytes; done < whole.size(); done += row_bytes) {
      std::copy_n(whole.begin(), row_bytes, whole.begin() + static_cast<ptrdiff_t>(done));
    }
  }
  sample->label.clear();
  if (label_column_) sample->label = row.back();
  return absl::OkStatus();
}

absl::StatusOr<bool> DataSamples::Next(Sample* sample) {
  Row row;
  size_t file_row = 0;
  LATHE_ASSIGN_OR_RETURN(const bool more, ReadRow(&row, &sample->index, &file_row));
  if (!more) return false;
  const absl::Status converted = ConvertRow(row, sample, file_row);
  const std::lock_guard<std::mutex> lock(mutex_);
  free_rows_.push_back(std::move(row));
  if (converted.ok()) return true;
  next_ = count_;
  return converted;
}

absl::StatusOr<bool> DataSamples::Skip() {
  const std::lock_guard<std::mutex> lock(mutex_);
  LATHE_ASSIGN_OR_RETURN(const std::optional<size_t> row, Advance());
  if (!row) return false;
  const size_t index = std::exchange(next_, count_);
  for (size_t c = 0; c < columns_.size(); ++c) {
    if (absl::Status status = readers_[c]->Skip(1); !status.ok()) {
      return Annotate(status, absl::StrFormat("%s, sample %d", Where(columns_[c]), *row));
    }
  }
  next_ = index + 1;
  next_row_ = *row + 1;
  return true;
}

absl::Status DataSamples::Rewind() {
  const std::lock_guard<std::mutex> lock(mutex_);
  readers_.clear();
  for (size_t column : columns_) {
    LATHE_ASSIGN_OR_RETURN(std::unique_ptr<ColumnReader> reader, file_->OpenColumn(column));
    readers_.push_back(std::move(reader));
  }
  next_ = next_row_ = 0;
  return absl::OkStatus();
}

}  // namespace lathe
