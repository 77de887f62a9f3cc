#include "server/field_checks.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>
#include <cmath>

#include "common/digest.h"
#include "optimizer/recipe/preprocessing.h"
#include "optimizer/recipe/violation_list.h"
#include "server/limits.h"
#include "wire/preprocessing.h"

namespace lathe {

void FieldChecks::Add(const absl::Status& status) {
  const std::vector<FieldViolation> violations = ViolationsOf(status);
  violations_.insert(violations_.end(), violations.begin(), violations.end());
  if (violations.empty()) other_.Update(status);
}

void FieldChecks::CheckRequestId(std::string_view field, std::string_view request_id) {
  if (request_id.size() <= limits::kRequestIdBytesMax) return;
  Add(field, absl::StrFormat("has %d bytes, at most %d are allowed; use a UUID", request_id.size(),
                             limits::kRequestIdBytesMax));
}

void FieldChecks::CheckLabels(std::string_view field, const google::protobuf::Map<std::string, std::string>& labels) {
  if (labels.size() > limits::kLabelsMax) {
    Add(field, absl::StrFormat("has %d entries, at most %d are allowed", labels.size(), limits::kLabelsMax));
  }
  for (const auto& [key, value] : labels) {
    if (key.empty() || key.size() > limits::kLabelBytesMax || value.size() > limits::kLabelBytesMax) {
      Add(field, absl::StrFormat("'%s': keys have 1 to %d bytes, values at most %d", key.substr(0, 80),
                                 limits::kLabelBytesMax, limits::kLabelBytesMax));
    }
  }
}

void FieldChecks::CheckSampling(const std::string& field, const v1::DatasetRef& data) {
  if (data.sample_limit() > INT32_MAX) Add(field + ".sample_limit", "is above 2^31 - 1");
  if (!v1::Preprocessing::Channels_IsValid(data.preprocessing().channels())) {
    Add(field + ".preprocessing.channels", "is not known to this version");
  }
  if (!v1::Preprocessing::Resize::Method_IsValid(data.preprocessing().resize().method())) {
    Add(field + ".preprocessing.resize.method", "is not known to this version");
  }
  ViolationList violations(field);
  CheckPreprocessing(PreprocessingFromProto(data.preprocessing()), violations);
  for (const FieldViolation& violation : violations.violations()) Add(violation.field, violation.description);
  if (!data.has_input_range()) return;
  const auto& range = data.input_range();
  if (!std::isfinite(range.low()) || !std::isfinite(range.high()) || range.low() >= range.high()) {
    Add(field + ".input_range",
        absl::StrFormat("[%g, %g): low must be below high, both finite", range.low(), range.high()));
  }
}

absl::Status FieldChecks::Result() const { return violations_.empty() ? other_ : MakeViolationsError(violations_); }

Labels SortedLabels(const google::protobuf::Map<std::string, std::string>& labels) {
  Labels sorted(labels.begin(), labels.end());
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

std::string ContentHash(std::string_view method, const google::protobuf::Message& message) {
  std::string bytes(method);
  bytes.push_back('\0');
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);  // maps in the order of their keys
    message.SerializePartialToCodedStream(&coded);
  }
  return HexDigest(bytes);
}

}  // namespace lathe
