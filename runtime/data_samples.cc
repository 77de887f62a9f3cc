#include "runtime/data_samples.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_join.h"
#include "runtime/sample_subset.h"

namespace lathe {

namespace {

absl::Status Invalid(const std::string& text) {
  return MakeError(absl::StatusCode::kInvalidArgument, "DATA_INVALID", text);
}

bool IsLabel(const std::string& name) { return name == "label" || name == "labels"; }

std::string InParentheses(const std::string& text) { return text.empty() ? "" : " (" + text + ")"; }

std::string ShapeText(const std::vector<int64_t>& shape) { return "[" + absl::StrJoin(shape, ",") + "]"; }
std::string ShapeText(const std::vector<int32_t>& shape) { return "[" + absl::StrJoin(shape, ",") + "]"; }

}  // namespace

absl::StatusOr<std::unique_ptr<SampleSource>> DataSamples::Open(const Model& model, const std::string& path,
                                                                const SampleOptions& options) {
  auto samples = std::make_unique<DataSamples>();
  samples->file_name_ = path.substr(path.rfind('/') + 1);
  LATHE_ASSIGN_OR_RETURN(samples->inputs_, DescribeInputs(model));
  LATHE_ASSIGN_OR_RETURN(samples->file_, DataFile::Open(path, options.total_bytes_max));
  LATHE_RETURN_IF_ERROR(Annotate(samples->MatchColumns(), absl::StrFormat("data file '%s'", samples->file_name_)));
  for (size_t input = 0; input < samples->inputs_.size(); ++input) {
    LATHE_RETURN_IF_ERROR(Annotate(samples->CheckInput(input, options.preprocessing),
                                   samples->Where(samples->input_columns_[input].column)));
  }
  LATHE_RETURN_IF_ERROR(samples->CheckImagesChanged(options.preprocessing));
  LATHE_RETURN_IF_ERROR(samples->FindLabels(options.labels));
  samples->PrepareChecks(model);
  samples->count_ = samples->row_count_;
  if (options.sample_limit > 0) samples->count_ = std::min<size_t>(samples->row_count_, options.sample_limit);
  if (samples->count_ < samples->row_count_) {
    samples->chosen_ = DrawSamples(samples->row_count_, options.seed, samples->count_);
  }
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
    if (columns[c].problem.empty()) unmatched.push_back(c);
    unmatched_names.push_back(absl::StrFormat("'%s'%s", columns[c].name, InParentheses(columns[c].problem)));
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
  for (size_t c = 0; c < columns.size(); ++c) {
    const bool left_over = std::find(unmatched.begin(), unmatched.end(), c) != unmatched.end();
    if (!left_over && (columns[c].problem.empty() || used[c] || IsLabel(columns[c].name))) continue;
    warnings_.push_back(absl::StrFormat("data file '%s': column '%s' matches no input of the model and was ignored",
                                        file_name_, columns[c].name));
  }
  for (const std::string& what : file_->ignored()) {
    warnings_.push_back(absl::StrFormat("data file '%s': %s and was ignored", file_name_, what));
  }
  for (size_t match : matches) {
    input_columns_.emplace_back().column = match;
    columns_.push_back(match);
  }
  return absl::OkStatus();
}

absl::Status DataSamples::CheckInput(size_t input, const Preprocessing& preprocessing) {
  InputColumn& source = input_columns_[input];
  const DataColumn& column = file_->columns()[source.column];
  const TensorInfo& info = inputs_[input];
  if (!column.problem.empty()) return Invalid(column.problem);
  if (column.rows() == 0) {
    return Invalid(absl::StrFormat("the array has shape %s and so no samples; the first axis counts samples",
                                   ShapeText(column.shape)));
  }
  LATHE_ASSIGN_OR_RETURN(source.scaling, MakeIntegerScaling(preprocessing, info));
  source.row_info = info;
  // An input that is no image keeps its numbers when others of the model are images.
  const bool may_be_image = column.encoded || inputs_.size() == 1 || FindImageLayout(info);
  if (may_be_image && ImageColumn::IsNeeded(column, preprocessing)) {
    LATHE_ASSIGN_OR_RETURN(source.images, ImageColumn::Make(column, info, preprocessing, source.scaling));
    source.row_info.size_bytes = source.images->size_bytes();
  } else {
    LATHE_RETURN_IF_ERROR(CheckNumbers(input));
  }
  if (input > 0 && column.rows() != row_count_) {
    return Invalid(absl::StrFormat("has %d samples, the column of the first input has %d", column.rows(), row_count_));
  }
  row_count_ = column.rows();
  return absl::OkStatus();
}

absl::Status DataSamples::CheckNumbers(size_t input) {
  InputColumn& source = input_columns_[input];
  const DataColumn& column = file_->columns()[source.column];
  const TensorInfo& info = inputs_[input];
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
  LATHE_RETURN_IF_ERROR(CheckConvertible(column.type, info, source.scaling));
  if (source.scaling && IsFloat(column.type)) {
    warnings_.push_back(Where(source.column) + ": holds floats; --scale and --mean apply to integers only");
  }
  source.row_info.elements = static_cast<int64_t>(row_elements);
  source.row_info.size_bytes = info.size_bytes / elements * row_elements;
  return absl::OkStatus();
}

absl::Status DataSamples::CheckImagesChanged(const Preprocessing& preprocessing) const {
  const bool any = std::any_of(input_columns_.begin(), input_columns_.end(),
                               [](const InputColumn& column) { return column.images.has_value(); });
  if (any || !preprocessing.ChangesImages()) return absl::OkStatus();
  return Invalid(
      absl::StrFormat("data file '%s': preprocessing.resize, crop or channels is set, but no input of the "
                      "model takes an image",
                      file_name_));
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
  if (!column.problem.empty()) return Invalid(absl::StrFormat("%s: %s", Where(*label_column_), column.problem));
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

void DataSamples::PrepareChecks(const Model& model) {
  std::vector<DataChecks::Column> columns;
  for (size_t input = 0; input < inputs_.size(); ++input) {
    InputColumn& source = input_columns_[input];
    const TensorInfo& info = inputs_[input];
    source.rows_max = FindIndexedRows(model, info.id);
    // Three dimensions may as well be sound or text.
    const bool is_image = info.type == TensorType::kFloat32 && info.shape.size() == 4 && FindImageLayout(info) &&
                          !ScalesItsInput(model, info);
    columns.push_back({info, Where(source.column), FindExpectedRange(model, info), is_image});
  }
  std::optional<int64_t> classes;
  if (const auto outputs = DescribeOutputs(model); outputs.ok() && outputs->size() == 1) {
    const std::vector<int32_t>& shape = (*outputs)[0].shape;
    if (shape.size() == 2 && shape[1] > 1) classes = shape[1];
  }
  checks_ =
      std::make_unique<DataChecks>(std::move(columns), labels_, label_column_ ? Where(*label_column_) : "", classes);
}

absl::StatusOr<DataChecks::Extremes> DataSamples::FindRealExtremes(const InputColumn& source,
                                                                   const std::vector<uint8_t>& value) const {
  const DataColumn& column = file_->columns()[source.column];
  if (!column.encoded && value.empty()) return DataChecks::Extremes{0, 0};
  // An encoded image may have any pixels.
  auto [low, high] = column.encoded ? std::pair(0.0, 255.0) : FindExtremes(column.type, value);
  if (IsFloat(column.type) && !column.encoded) return DataChecks::Extremes{low, high};
  if (source.rows_max && (low < 0 || high >= static_cast<double>(*source.rows_max))) {
    return Invalid(absl::StrFormat("holds %g, but the model looks it up in a table of %d rows (0..%d)",
                                   low < 0 ? low : high, *source.rows_max, *source.rows_max - 1));
  }
  if (!source.scaling) {
    // Integers for a quantized input without scaling are quantized already.
    const double scale = source.row_info.scale > 0 ? double{source.row_info.scale} : 1;
    const double zero = source.row_info.scale > 0 ? static_cast<double>(source.row_info.zero_point) : 0;
    return DataChecks::Extremes{(low - zero) * scale, (high - zero) * scale};
  }
  DataChecks::Extremes real{std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()};
  for (size_t channel = 0; channel < std::max<size_t>(source.scaling->channel_scale.size(), 1); ++channel) {
    for (double end : {source.scaling->Apply(low, channel), source.scaling->Apply(high, channel)}) {
      real.low = std::min(real.low, end);
      real.high = std::max(real.high, end);
    }
  }
  return real;
}

absl::StatusOr<std::optional<size_t>> DataSamples::Advance() {
  if (next_ >= count_) return std::nullopt;
  size_t row = next_row_;
  while (!chosen_.empty() && !chosen_[row]) ++row;
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
  std::vector<DataChecks::Extremes> extremes(inputs_.size());
  for (size_t input = 0; input < inputs_.size(); ++input) {
    const InputColumn& column = input_columns_[input];
    sample->inputs[input].resize(inputs_[input].size_bytes);
    const absl::Span<uint8_t> whole = absl::MakeSpan(sample->inputs[input]);
    const size_t row_bytes = column.row_info.size_bytes;
    const absl::Span<uint8_t> place = whole.first(row_bytes);
    absl::Status status = column.images ? column.images->Convert(row[input], place)
                                        : ConvertValues(row[input], file_->columns()[column.column].type,
                                                        column.row_info, column.scaling, place);
    if (status.ok()) {
      const auto found = FindRealExtremes(column, row[input]);
      status = found.status();
      if (found.ok()) extremes[input] = *found;
    }
    if (!status.ok()) return Annotate(status, absl::StrFormat("%s, sample %d", Where(column.column), file_row));
    for (size_t done = row_bytes; done < whole.size(); done += row_bytes) {
      std::copy_n(whole.begin(), row_bytes, whole.begin() + static_cast<ptrdiff_t>(done));
    }
  }
  sample->label.clear();
  if (label_column_) sample->label = row.back();
  checks_->Look(*sample, extremes);
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
