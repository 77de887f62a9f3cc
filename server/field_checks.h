#ifndef LATHE_SERVER_FIELD_CHECKS_H_
#define LATHE_SERVER_FIELD_CHECKS_H_

#include <google/protobuf/map.h>
#include <google/protobuf/message.h>

#include <string>
#include <string_view>
#include <vector>

#include "common/status.h"
#include "lathe/v1/dataset.pb.h"
#include "storage/job_store.h"

namespace lathe {

// Collects what is wrong with a request, so that the client learns all of it at once.
class FieldChecks {
 public:
  void Add(std::string_view field, std::string_view description) {
    violations_.push_back({std::string(field), std::string(description)});
  }
  // Takes over the violations of a BAD_REQUEST. Any other error is kept as the answer, if it is the first such.
  void Add(const absl::Status& status);
  void CheckRequestId(std::string_view field, std::string_view request_id);
  void CheckLabels(std::string_view field, const google::protobuf::Map<std::string, std::string>& labels);
  // How data become samples; the artifact is the caller's.
  void CheckSampling(const std::string& field, const v1::DatasetRef& data);
  bool ok() const { return violations_.empty() && other_.ok(); }
  // OK; INVALID_ARGUMENT BAD_REQUEST with all violations; or the other error when there are none.
  absl::Status Result() const;

 private:
  std::vector<FieldViolation> violations_;
  absl::Status other_;
};

// Labels in the order of their keys.
Labels SortedLabels(const google::protobuf::Map<std::string, std::string>& labels);

// Digest of a message's deterministic serialization: equal for equal content.
std::string ContentHash(std::string_view method, const google::protobuf::Message& message);

}  // namespace lathe

#endif  // LATHE_SERVER_FIELD_CHECKS_H_
