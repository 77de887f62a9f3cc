#include "runtime/npz_file.h"

#include <zip.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>
#include <utility>

#include "common/file.h"

namespace lathe {

namespace {

constexpr zip_int64_t kMembersMax = 1000;
// Real data sets reach 25 : 1 (padded labels). A small array of one value may pass this bound and harm nobody.
constexpr uint64_t kRatioMax = 100, kRatioFreeBytes = uint64_t{16} << 20;

std::string LastComponent(const std::string& path) { return path.substr(path.rfind('/') + 1); }

absl::Status Invalid(const std::string& text) {
  return MakeError(absl::StatusCode::kInvalidArgument, "DATA_INVALID", text);
}

// Names come from the archive: control characters must not reach a terminal or a log.
std::string Printable(std::string_view name) {
  std::string text(name.substr(0, 80));
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c < 32 || c > 126; }, '?');
  return text;
}

// Reads the header at the stream's start; the stream is then at the first value.
absl::StatusOr<NpyHeader> ReadHeader(ArrayStream& stream, size_t* header_bytes) {
  std::vector<uint8_t> header(12);
  LATHE_RETURN_IF_ERROR(stream.Read(absl::MakeSpan(header)));
  LATHE_ASSIGN_OR_RETURN(const size_t size, FindNpyHeaderSize(header));
  header.resize(size);
  LATHE_RETURN_IF_ERROR(stream.Read(absl::MakeSpan(header).subspan(12)));
  *header_bytes = size;
  return ParseNpyHeader(header);
}

absl::Status CheckSize(const NpyHeader& header, uint64_t header_bytes, uint64_t file_bytes, uint64_t total_bytes_max) {
  if (header.data_bytes > total_bytes_max) {
    return Invalid(absl::StrFormat("the header declares %d bytes of data; at most %d are accepted", header.data_bytes,
                                   total_bytes_max));
  }
  if (header_bytes + header.data_bytes != file_bytes) {
    return Invalid(absl::StrFormat("the header declares %d bytes of data, the file has %d", header.data_bytes,
                                   file_bytes < header_bytes ? 0 : file_bytes - header_bytes));
  }
  return absl::OkStatus();
}

class FileStream : public ArrayStream {
 public:
  FileStream(const std::string& path, uint64_t offset) : file_(path, std::ios::binary) {
    file_.seekg(static_cast<std::streamoff>(offset));
  }
  absl::Status Read(absl::Span<uint8_t> out) override {
    file_.read(reinterpret_cast<char*>(out.data()), static_cast<std::streamsize>(out.size()));
    return file_ ? absl::OkStatus() : Invalid("the file ends early");
  }
  absl::Status Skip(uint64_t count) override {
    file_.seekg(static_cast<std::streamoff>(count), std::ios::cur);
    return file_ ? absl::OkStatus() : Invalid("the file ends early");
  }

 private:
  std::ifstream file_;
};

class NpyFile : public NpzFile {
 public:
  static absl::StatusOr<std::unique_ptr<NpzFile>> Open(const std::string& path, uint64_t file_bytes,
                                                       uint64_t total_bytes_max) {
    auto file = std::make_unique<NpyFile>();
    file->path_ = path;
    FileStream stream(path, 0);
    LATHE_ASSIGN_OR_RETURN(NpyHeader header, ReadHeader(stream, &file->header_bytes_));
    LATHE_RETURN_IF_ERROR(CheckSize(header, file->header_bytes_, file_bytes, total_bytes_max));
    file->arrays_.push_back({"", std::move(header)});
    return std::unique_ptr<NpzFile>(std::move(file));
  }
  absl::StatusOr<std::unique_ptr<ArrayStream>> OpenArray(size_t) override {
    return std::unique_ptr<ArrayStream>(std::make_unique<FileStream>(path_, header_bytes_));
  }

 private:
  std::string path_;
  size_t header_bytes_ = 0;
};

class ZipStream : public ArrayStream {
 public:
  ZipStream(zip_file_t* file, std::string name, bool stored) : file_(file), name_(std::move(name)), stored_(stored) {}
  ~ZipStream() override { zip_fclose(file_); }
  absl::Status Read(absl::Span<uint8_t> out) override {
    size_t done = 0;
    while (done < out.size()) {
      const zip_int64_t count = zip_fread(file_, out.data() + done, out.size() - done);
      if (count <= 0) {
        const char* why = count < 0 ? zip_file_strerror(file_) : "it ends early";
        return Invalid(absl::StrFormat("array '%s' is damaged: %s", name_, why));
      }
      done += static_cast<size_t>(count);
    }
    return absl::OkStatus();
  }
  absl::Status Skip(uint64_t count) override {
    if (stored_) {
      if (zip_fseek(file_, static_cast<zip_int64_t>(count), SEEK_CUR) == 0) return absl::OkStatus();
      return Invalid(absl::StrFormat("array '%s' is damaged: %s", name_, zip_file_strerror(file_)));
    }
    std::vector<uint8_t> passed(std::min(count, kPassedAtOnce));
    for (; count > 0; count -= passed.size()) {
      passed.resize(std::min<uint64_t>(count, passed.size()));
      LATHE_RETURN_IF_ERROR(Read(absl::MakeSpan(passed)));
    }
    return absl::OkStatus();
  }

 private:
  static constexpr uint64_t kPassedAtOnce = uint64_t{1} << 20;
  zip_file_t* file_;
  std::string name_;
  bool stored_;  // not compressed
};

class ZipFile : public NpzFile {
 public:
  ~ZipFile() override {
    if (zip_ != nullptr) zip_discard(zip_);
  }

  static absl::StatusOr<std::unique_ptr<NpzFile>> Open(const std::string& path, uint64_t total_bytes_max) {
    auto file = std::make_unique<ZipFile>();
    int error = 0;
    file->zip_ = zip_open(path.c_str(), ZIP_RDONLY, &error);
    if (file->zip_ == nullptr) {
      zip_error_t reason;
      zip_error_init_with_code(&reason, error);
      const std::string text = zip_error_strerror(&reason);
      zip_error_fini(&reason);
      return Invalid(absl::StrFormat("the .npz file cannot be read: %s", text));
    }
    LATHE_RETURN_IF_ERROR(file->ReadMembers(total_bytes_max));
    return std::unique_ptr<NpzFile>(std::move(file));
  }

  absl::StatusOr<std::unique_ptr<ArrayStream>> OpenArray(size_t index) override {
    size_t header_bytes = 0;
    LATHE_ASSIGN_OR_RETURN(std::unique_ptr<ArrayStream> stream, OpenMember(members_[index], arrays_[index].name));
    LATHE_RETURN_IF_ERROR(ReadHeader(*stream, &header_bytes).status());
    return stream;
  }

 private:
  absl::StatusOr<std::unique_ptr<ArrayStream>> OpenMember(zip_uint64_t member, const std::string& name) {
    zip_file_t* opened = zip_fopen_index(zip_, member, 0);
    if (opened == nullptr) {
      return Invalid(absl::StrFormat("array '%s' cannot be unpacked: %s", name, zip_strerror(zip_)));
    }
    zip_stat_t stat;
    const bool stored = zip_stat_index(zip_, member, 0, &stat) == 0 && (stat.valid & ZIP_STAT_COMP_METHOD) != 0 &&
                        stat.comp_method == ZIP_CM_STORE;
    return std::unique_ptr<ArrayStream>(std::make_unique<ZipStream>(opened, name, stored));
  }

  absl::Status ReadMembers(uint64_t total_bytes_max) {
    const zip_int64_t count = zip_get_num_entries(zip_, 0);
    if (count < 0 || count > kMembersMax) {
      return Invalid(absl::StrFormat("the .npz file has %d members; at most %d are accepted", count, kMembersMax));
    }
    uint64_t total = 0;
    std::set<std::string> names;
    for (zip_uint64_t member = 0; member < static_cast<zip_uint64_t>(count); ++member) {
      zip_stat_t stat;
      if (zip_stat_index(zip_, member, 0, &stat) != 0 || (stat.valid & ZIP_STAT_NAME) == 0) {
        return Invalid(absl::StrFormat("member %d of the .npz file cannot be read", member));
      }
      std::string name = Printable(stat.name);
      if (name.size() < 4 || name.substr(name.size() - 4) != ".npy") {
        ignored_.push_back(name);
        continue;
      }
      name.resize(name.size() - 4);
      LATHE_RETURN_IF_ERROR(CheckMember(stat, name, total_bytes_max, &total));
      if (!names.insert(name).second) return Invalid(absl::StrFormat("array '%s' comes twice in the file", name));
      LATHE_RETURN_IF_ERROR(
          Annotate(AddArray(member, stat.size, name, total_bytes_max), absl::StrFormat("array '%s'", name)));
    }
    return absl::OkStatus();
  }

  static absl::Status CheckMember(const zip_stat_t& stat, const std::string& name, uint64_t total_bytes_max,
                                  uint64_t* total) {
    if (name.find_first_of("/\\") != std::string::npos) {
      return Invalid(absl::StrFormat("the name of array '%s' has a path; plain names are accepted", name));
    }
    constexpr zip_uint64_t kNeeded = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD;
    if ((stat.valid & kNeeded) != kNeeded) return Invalid(absl::StrFormat("array '%s' has no size", name));
    if ((stat.valid & ZIP_STAT_ENCRYPTION_METHOD) != 0 && stat.encryption_method != ZIP_EM_NONE) {
      return Invalid(absl::StrFormat("array '%s' is encrypted; save it without a password", name));
    }
    if (stat.comp_method != ZIP_CM_STORE && stat.comp_method != ZIP_CM_DEFLATE) {
      return Invalid(absl::StrFormat("array '%s' is compressed with method %d; stored and deflated ones are accepted",
                                     name, stat.comp_method));
    }
    if (stat.size > kRatioFreeBytes && stat.size / kRatioMax > stat.comp_size) {
      return Invalid(
          absl::StrFormat("array '%s' unpacks from %d to %d bytes, more than %d : 1; save it with numpy.savez", name,
                          stat.comp_size, stat.size, kRatioMax));
    }
    if (stat.size > total_bytes_max || *total > total_bytes_max - stat.size) {
      return Invalid(absl::StrFormat("the arrays unpack to more than %d bytes", total_bytes_max));
    }
    *total += stat.size;
    return absl::OkStatus();
  }

  absl::Status AddArray(zip_uint64_t member, uint64_t member_bytes, const std::string& name, uint64_t total_bytes_max) {
    size_t header_bytes = 0;
    LATHE_ASSIGN_OR_RETURN(std::unique_ptr<ArrayStream> stream, OpenMember(member, name));
    LATHE_ASSIGN_OR_RETURN(NpyHeader header, ReadHeader(*stream, &header_bytes));
    LATHE_RETURN_IF_ERROR(CheckSize(header, header_bytes, member_bytes, total_bytes_max));
    members_.push_back(member);
    arrays_.push_back({name, std::move(header)});
    return absl::OkStatus();
  }

  zip_t* zip_ = nullptr;
  std::vector<zip_uint64_t> members_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<NpzFile>> NpzFile::Open(const std::string& path, uint64_t total_bytes_max) {
  const std::string where = absl::StrFormat("data file '%s'", LastComponent(path));
  std::ifstream probe(path, std::ios::binary | std::ios::ate);
  if (!probe) return ErrnoToStatus(errno, "cannot open data file", path);
  const std::streamoff size = probe.tellg();
  char magic[6] = {};
  probe.seekg(0);
  probe.read(magic, sizeof(magic));
  absl::StatusOr<std::unique_ptr<NpzFile>> file =
      Invalid("not a .npz, .npy, Parquet or Arrow IPC file; write one with numpy.savez(path, INPUT_NAME=array)");
  if (size > 0 && memcmp(magic, "PK", 2) == 0) {
    file = ZipFile::Open(path, total_bytes_max);
  } else if (size > 0 && memcmp(magic, "\x93NUMPY", 6) == 0) {
    file = NpyFile::Open(path, static_cast<uint64_t>(size), total_bytes_max);
  }
  if (!file.ok()) return Annotate(file.status(), where);
  return file;
}

}  // namespace lathe
