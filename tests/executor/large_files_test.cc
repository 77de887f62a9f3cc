// A model of more than 2 GiB, whose buffers lie outside the flatbuffer (users report "struct error", "invalid model"
// and calibration that fails: TF #59023, #59464; onnxruntime #16470). Run by tools/check-large-files: the file
// takes 2.7 GB of disk, so the other test runs leave it out.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

#include "optimizer/model/model_reader.h"
#include "tests/executor/job_fixture.h"
#include "tests/runtime/npz_writer.h"
#include "tests/support/model_builder.h"

namespace lathe {
namespace {

constexpr int32_t kRows = 10'500'000, kColumns = 32;  // 1.34 GB a table
constexpr uint64_t kTableBytes = uint64_t{kRows} * kColumns * sizeof(float);

class LargeFilesTest : public JobTest {
 protected:
  void SetUp() override {
    if (getenv("LATHE_LARGE_FILES") == nullptr) GTEST_SKIP() << "needs 4 GB of disk: tools/check-large-files";
  }

  // A table of zeros but for its first row, without taking the disk for it.
  Buffer Table(const std::string& name, float first) {
    const std::string path = dir() + "/" + name;
    std::vector<float> row(kColumns);
    for (size_t i = 0; i < row.size(); ++i) row[i] = first * static_cast<float>(i + 1);
    const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    EXPECT_GE(fd, 0);
    EXPECT_EQ(write(fd, row.data(), row.size() * sizeof(float)), std::ssize(row) * 4);
    EXPECT_EQ(ftruncate(fd, kTableBytes), 0);
    close(fd);
    files_.push_back(*MappedFile::Open(path));
    return Buffer::View(files_.back()->bytes());
  }

  Model TwoTables() {
    ModelBuilder builder;
    const TensorId ids = builder.Input("ids", {1, 8}, TensorType::kInt32);
    for (const char* name : {"a", "b"}) {
      const TensorId table = builder.Constant(name, {1, kColumns}, std::vector<float>(kColumns));
      const TensorId rows = builder.Activation(std::string(name) + "_rows", {1, 8, kColumns});
      builder.AddOp(OpKind::kGather, {table, ids}, {rows}, MakeGatherOptions(0));
      builder.Output(rows);
    }
    Model model = builder.Build();
    for (Tensor& tensor : model.subgraphs[0].tensors) {
      if (!model.IsConstant(tensor)) continue;
      tensor.shape[0] = kRows;
      model.buffers[tensor.buffer.index()] = Table(tensor.name, tensor.name == "a" ? 0.25f : -0.5f);
    }
    return model;
  }

  std::vector<std::shared_ptr<const MappedFile>> files_;
};

TEST_F(LargeFilesTest, ModelAbove2GibIsQuantizedAndCompared) {
  PutModel(TwoTables());
  ASSERT_GT(std::filesystem::file_size(dir() + "/input/model"), uint64_t{1} << 31);
  SetPreset("dynamic-range");
  // Made-up samples look up rows of zeros.
  WriteNpz(dir() + "/input/ids.npz", {{"ids.npy", Npy("<i4", "(2, 8)", Bytes(std::vector<int32_t>(16, 0)))}}, false);
  spec_.mutable_optimize()->set_calibration("input/ids.npz");
  const auto result = Run();
  ASSERT_TRUE(result.ok()) << result.status();
  const v1::Report& report = result->report();
  EXPECT_LT(report.output().bytes(), report.input().bytes() / 3);
  ASSERT_EQ(report.error().outputs_size(), 2);
  for (const v1::OutputError& error : report.error().outputs()) EXPECT_GE(error.sqnr_db(), 35);
}

TEST_F(LargeFilesTest, ModelAbove2GibThatIsCutOffIsRefused) {
  PutModel(TwoTables());
  const std::string path = dir() + "/input/model";
  std::filesystem::resize_file(path, (uint64_t{1} << 31) + 5);
  SetPreset("dynamic-range");
  EXPECT_EQ(ReasonOf(Run().status()), "MODEL_CORRUPT");
}

}  // namespace
}  // namespace lathe
