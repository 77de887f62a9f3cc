#ifndef LATHE_STORAGE_ARTIFACT_STORE_H_
#define LATHE_STORAGE_ARTIFACT_STORE_H_

// Bytes by their SHA-256. A digest is there whole and verified, or not at all.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "common/status.h"

namespace lathe {

struct ExpectedBytes {
  std::string sha256;  // 64 lower-case hex digits
  uint64_t size_bytes = 0;
};

// Reads one artifact; stays good when the artifact is deleted meanwhile. Thread-safe.
class ArtifactReader {
 public:
  virtual ~ArtifactReader() = default;
  virtual uint64_t size_bytes() const = 0;
  // Fills `buffer` from `offset` on; fewer bytes only at the end. Blocks on the disk.
  // OUT_OF_RANGE: offset > size_bytes(). DATA_LOSS: fewer bytes than the size promises.
  virtual absl::StatusOr<size_t> ReadAt(uint64_t offset, absl::Span<uint8_t> buffer) const = 0;
};

// The one open writer of an upload. One thread at a time. Destruction syncs what was appended: the upload can go on
// later.
class ArtifactUpload {
 public:
  virtual ~ArtifactUpload() = default;
  // Bytes that are durable: where a client goes on after a failure. Grows every few MiB and at Sync.
  virtual uint64_t committed_size() const = 0;
  // Bytes that were appended.
  virtual uint64_t received_size() const = 0;
  // OUT_OF_RANGE OFFSET_MISMATCH: `offset` != received_size(); nothing was written, the message names both.
  // INVALID_ARGUMENT SIZE_MISMATCH: more bytes than expected; nothing was written.
  // RESOURCE_EXHAUSTED DISK_LOW: the disk is (nearly) full; what was committed stays.
  virtual absl::Status Append(uint64_t offset, absl::Span<const uint8_t> bytes) = 0;
  // Makes everything appended durable.
  virtual absl::Status Sync() = 0;
  // The last call: verifies size and digest and publishes the artifact; durable on return. OK also when the artifact is
  // there already. Then calls `record` (may be empty), which stores that the upload has ended; only when it succeeded
  // are the upload's own bytes let go, so that after a failure or crash before that the upload can be committed again
  // without its bytes being sent again. Its error is returned. INVALID_ARGUMENT SIZE_MISMATCH: bytes are missing (they
  // can still be sent, after opening again). INVALID_ARGUMENT DIGEST_MISMATCH: the message names both digests; the
  // upload's bytes are thrown away.
  virtual absl::Status Commit(const std::function<absl::Status()>& record) = 0;
  absl::Status Commit() { return Commit({}); }
};

// Thread-safe. Errors of the disk: RESOURCE_EXHAUSTED DISK_LOW when it is full, else UNAVAILABLE STORAGE_UNAVAILABLE.
// Unknown digests: NOT_FOUND ARTIFACT_NOT_FOUND.
class ArtifactStore {
 public:
  virtual ~ArtifactStore() = default;

  // Begins an upload or goes on with it (then the bytes received so far are hashed again: about 1 s per GB).
  // ABORTED UPLOAD_BUSY: another writer has it open. RESOURCE_EXHAUSTED DISK_LOW: too little of the disk is free.
  // REQUIRES: `upload_id` is a resource id (IsResourceId), the digest is well-formed.
  virtual absl::StatusOr<std::unique_ptr<ArtifactUpload>> OpenUpload(const std::string& upload_id,
                                                                     const ExpectedBytes& expected) = 0;
  // Committed bytes of an upload that was begun; 0 for others.
  virtual uint64_t UploadedBytes(const std::string& upload_id) = 0;
  // Throws away what was received. OK if there is nothing. ABORTED UPLOAD_BUSY.
  virtual absl::Status AbortUpload(const std::string& upload_id) = 0;

  // Adds a finished file whose digest the caller computed (Sha256File), on the same disk as a hard link: it must not be
  // written to afterwards. Durable on return; returns the size. INVALID_ARGUMENT: not a regular file. The
  // path's own errors as in ErrnoToStatus.
  virtual absl::StatusOr<uint64_t> PutFile(const std::string& path, const std::string& sha256) = 0;

  // The first read of a digest after a start hashes its bytes. DATA_LOSS DIGEST_MISMATCH: they are damaged; they were
  // moved to quarantine and the digest is not found from now on.
  virtual absl::StatusOr<std::unique_ptr<ArtifactReader>> Open(const std::string& sha256) = 0;
  // Puts the bytes at `path` (which must not exist): a hard link where possible, read-only. Errors as for Open.
  virtual absl::Status LinkTo(const std::string& sha256, const std::string& path) = 0;
  // Size, without reading the bytes.
  virtual absl::StatusOr<uint64_t> Stat(const std::string& sha256) = 0;
  // OK if there is nothing.
  virtual absl::Status Delete(const std::string& sha256) = 0;
  // Every digest that is there, in no order.
  virtual absl::StatusOr<std::vector<std::string>> Digests() = 0;

  // OK, or RESOURCE_EXHAUSTED DISK_LOW: uploads would be refused.
  virtual absl::Status CheckFreeSpace() = 0;
};

}  // namespace lathe

#endif  // LATHE_STORAGE_ARTIFACT_STORE_H_
