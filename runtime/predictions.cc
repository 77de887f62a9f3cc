#include "runtime/predictions.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/file.h"

namespace lathe {
namespace {

// The header of a .npy file of format version 1 (NEP 1): padded so that the values begin at a multiple of 64.
std::string NpyHeaderText(const std::string& shape) {
  std::string text = absl::StrCat("{'descr': '<f8', 'fortran_order': False, 'shape': (", shape, "), }");
  constexpr size_t kStart = 10, kAlignment = 64;
  const size_t padded = (kStart + text.size() + 1 + kAlignment - 1) / kAlignment * kAlignment;
  text.append(padded - kStart - text.size() - 1, ' ');
  text += '\n';
  const auto size = static_cast<uint16_t>(text.size());
  std::string header("\x93NUMPY\x01\x00", 8);
  header += static_cast<char>(size & 0xFF);
  header += static_cast<char>(size >> 8);
  return header + text;
}

// Names of models are anybody's bytes, and a name must not become a path.
std::string PlainName(const std::string& name) {
  constexpr size_t kLengthMax = 60;
  std::string plain;
  for (char c : name.substr(0, kLengthMax)) {
    const bool keeps = absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_';
    plain += keeps ? c : '_';
  }
  return plain;
}

absl::Status WriteAt(int fd, const void* bytes, size_t size, size_t offset, const std::string& path) {
  const char* from = static_cast<const char*>(bytes);
  while (size > 0) {
    const ssize_t wrote = pwrite(fd, from, size, static_cast<off_t>(offset));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return ErrnoToStatus(errno, "write", path);
    from += wrote;
    offset += static_cast<size_t>(wrote);
    size -= static_cast<size_t>(wrote);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<PredictionWriter>> PredictionWriter::Create(const std::string& folder,
                                                                           const std::string& prefix,
                                                                           const std::vector<TensorInfo>& outputs,
                                                                           size_t samples) {
  std::unique_ptr<PredictionWriter> writer(new PredictionWriter(folder, prefix));
  writer->answers_.resize(samples);
  for (size_t i = 0; i < outputs.size(); ++i) {
    File& file = writer->files_.emplace_back();
    file.path = absl::StrCat(folder, "/", prefix, "_", i, "_", PlainName(DisplayName(outputs[i])), ".npy");
    file.fd = open(file.path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
    if (file.fd < 0) return ErrnoToStatus(errno, "open", file.path);
    // A batch of one is the sample's own axis.
    std::vector<int32_t> shape = outputs[i].shape;
    if (!shape.empty() && shape[0] == 1) shape.erase(shape.begin());
    const std::string header = NpyHeaderText(absl::StrCat(samples, ",", absl::StrJoin(shape, ",")));
    file.header_bytes = header.size();
    LATHE_RETURN_IF_ERROR(WriteAt(file.fd, header.data(), header.size(), 0, file.path));
  }
  return writer;
}

PredictionWriter::~PredictionWriter() {
  for (const File& file : files_) close(file.fd);
}

absl::Status PredictionWriter::Write(size_t sample, const std::vector<std::vector<double>>& outputs,
                                     std::vector<std::vector<double>> answers) {
  for (size_t i = 0; i < files_.size(); ++i) {
    const size_t bytes = outputs[i].size() * sizeof(double);
    LATHE_RETURN_IF_ERROR(
        WriteAt(files_[i].fd, outputs[i].data(), bytes, files_[i].header_bytes + sample * bytes, files_[i].path));
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  answers_[sample] = std::move(answers);
  return absl::OkStatus();
}

absl::Status PredictionWriter::Finish() {
  std::vector<double> values;
  size_t rows = 0, width = 0;
  for (size_t sample = 0; sample < answers_.size(); ++sample) {
    for (const std::vector<double>& row : answers_[sample]) {
      values.push_back(static_cast<double>(sample));
      values.insert(values.end(), row.begin(), row.end());
      width = row.size() + 1;
      ++rows;
    }
  }
  if (rows == 0) return absl::OkStatus();
  std::string bytes = NpyHeaderText(absl::StrCat(rows, ",", width));
  bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(double));
  return WriteFileAtomically(absl::StrCat(folder_, "/", prefix_, "_answers.npy"), bytes);
}

}  // namespace lathe
