// top1 DATA.npz MODEL...: percent of DATA's images whose largest output is at their label, for each model. The images
// are uint8 and the models want value / 255. Prints one line a model: the percentage and the file's name.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "common/file.h"
#include "optimizer/model/model_reader.h"
#include "runtime/interpreter.h"
#include "runtime/npz_file.h"
#include "runtime/samples.h"

namespace {

constexpr uint64_t kDataBytesMax = uint64_t{1} << 30;

absl::StatusOr<std::vector<int64_t>> ReadLabels(const std::string& path) {
  LATHE_ASSIGN_OR_RETURN(const auto file, lathe::NpzFile::Open(path, kDataBytesMax));
  for (size_t i = 0; i < file->arrays().size(); ++i) {
    const auto& [name, header] = file->arrays()[i];
    if (name != "label") continue;
    if (header.type != lathe::NpyType::kInt64 && header.type != lathe::NpyType::kUint8) break;
    LATHE_ASSIGN_OR_RETURN(const auto stream, file->OpenArray(i));
    std::vector<uint8_t> bytes(header.data_bytes);
    LATHE_RETURN_IF_ERROR(stream->Read(absl::MakeSpan(bytes)));
    if (header.type == lathe::NpyType::kUint8) return std::vector<int64_t>(bytes.begin(), bytes.end());
    std::vector<int64_t> labels(header.elements);
    std::memcpy(labels.data(), bytes.data(), bytes.size());
    return labels;
  }
  return lathe::MakeError(absl::StatusCode::kInvalidArgument, "DATA_INVALID",
                          path + ": no array `label` of int64 or uint8");
}

absl::StatusOr<double> Top1Percent(const std::string& model_path, const std::string& data_path,
                                   const std::vector<int64_t>& labels) {
  LATHE_ASSIGN_OR_RETURN(const auto file, lathe::MappedFile::Open(model_path));
  LATHE_ASSIGN_OR_RETURN(const lathe::Model model, lathe::ReadModel(file));
  LATHE_ASSIGN_OR_RETURN(const auto interpreter, lathe::Interpreter::Create(model, file->bytes(), {}));
  lathe::SampleOptions options;
  options.preprocessing.scale = 1.0 / 255;
  options.preprocessing.mean = 0;
  LATHE_ASSIGN_OR_RETURN(const auto samples, lathe::OpenSamples(model, data_path, options));

  const size_t classes = static_cast<size_t>(interpreter->outputs()[0].elements);
  std::vector<float> scores(classes);
  size_t correct = 0;
  lathe::Sample sample;
  for (;;) {
    LATHE_ASSIGN_OR_RETURN(const bool more, samples->Next(&sample));
    if (!more) break;
    LATHE_RETURN_IF_ERROR(interpreter->SetInput(0, sample.inputs[0]));
    LATHE_RETURN_IF_ERROR(interpreter->Run());
    std::memcpy(scores.data(), interpreter->Output(0).data(), classes * sizeof(float));
    const auto best = std::max_element(scores.begin(), scores.end()) - scores.begin();
    if (best == labels.at(sample.index)) ++correct;
  }
  return 100.0 * static_cast<double>(correct) / static_cast<double>(samples->size());
}

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "top1: %s\n", std::string(status.message()).c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fputs("usage: top1 DATA.npz MODEL...\n", stderr);
    return 2;
  }
  const auto labels = ReadLabels(argv[1]);
  if (!labels.ok()) return Fail(labels.status());
  for (int i = 2; i < argc; ++i) {
    const auto percent = Top1Percent(argv[i], argv[1], *labels);
    if (!percent.ok()) return Fail(percent.status());
    std::printf("%6.2f %%  %s\n", *percent, argv[i]);
  }
  return 0;
}
