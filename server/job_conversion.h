#ifndef LATHE_SERVER_JOB_CONVERSION_H_
#define LATHE_SERVER_JOB_CONVERSION_H_

// Rows of the store as messages of the API.

#include <cstdint>

#include "google/protobuf/timestamp.pb.h"
#include "lathe/v1/artifact.pb.h"
#include "lathe/v1/job.pb.h"
#include "storage/artifact_index.h"
#include "storage/job_store.h"

namespace lathe {

void SetTimestamp(int64_t micros, google::protobuf::Timestamp* timestamp);

// How much of a job an answer holds: lists leave out the operators of reports, which may be thousands.
enum class JobView { kFull, kList };

// INTERNAL BAD_ROW: the row's spec or result is no message of this version.
absl::Status JobToProto(const JobRecord& record, JobView view, v1::Job* job);

// A stored event; `snapshot` and heartbeats are made by the watch.
void EventToProto(const JobEvent& event, v1::JobEvent* proto);

void ArtifactToProto(const ArtifactRecord& record, v1::Artifact* artifact);

// `committed_bytes`: durable part of an open upload.
void UploadToProto(const UploadRecord& record, uint64_t committed_bytes, v1::Upload* upload);

}  // namespace lathe

#endif  // LATHE_SERVER_JOB_CONVERSION_H_
