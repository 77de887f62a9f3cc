#include "runtime/exposed_model.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <numeric>

#include "optimizer/model/model_writer.h"
#include "runtime/plain_model.h"

namespace lathe {

std::vector<bool> FindActivations(const Model& model) {
  const Subgraph& subgraph = model.subgraphs[0];
  std::vector<bool> depends(subgraph.tensors.size(), false);
  for (TensorId id : subgraph.inputs) depends[id.index()] = true;
  for (const Op& op : subgraph.ops) {
    const bool constant = !op.inputs.empty() && std::all_of(op.inputs.begin(), op.inputs.end(), [&](TensorId id) {
      return !id.valid() || (!depends[id.index()] && !subgraph.tensor(id).is_variable);
    });
    if (constant) continue;
    for (TensorId id : op.outputs) {
      if (id.valid()) depends[id.index()] = true;
    }
  }
  return depends;
}

namespace {

// The shape that the tensor has when every dimension that is not fixed is 1, as Interpreter resizes inputs; empty if
// the model does not tell.
std::vector<int32_t> ShapeWhenRun(const Tensor& tensor) {
  std::vector<int32_t> shape = tensor.shape;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (i < tensor.shape_signature.size() && tensor.shape_signature[i] < 0) shape[i] = 1;
    if (shape[i] < 1) return {};
  }
  return shape;
}

int64_t Elements(const std::vector<int32_t>& shape) {
  return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
}

// LiteRT 2.3.0 cannot give out a tensor whose shape it computes while it runs ("status 3 (runtime failure)"). Of a
// RESHAPE the shape is known before: it becomes a constant, so that the result can be an output.
void FixReshapes(Model& model) {
  Subgraph& graph = model.subgraphs[0];
  for (Op& op : graph.ops) {
    if (op.kind != OpKind::kReshape || !op.input(1).valid() || op.outputs.empty()) continue;
    if (model.IsConstant(graph.tensor(op.inputs[1]))) continue;
    const std::vector<int32_t> from = ShapeWhenRun(graph.tensor(op.inputs[0]));
    const std::vector<int32_t> to = ShapeWhenRun(graph.tensor(op.outputs[0]));
    if (from.empty() || to.empty() || Elements(from) != Elements(to)) continue;
    std::vector<uint8_t> bytes(to.size() * sizeof(int32_t));
    memcpy(bytes.data(), to.data(), bytes.size());
    Tensor shape;
    shape.name = absl::StrFormat("t%d", graph.tensors.size());
    shape.type = TensorType::kInt32;
    shape.shape = {static_cast<int32_t>(to.size())};
    shape.buffer = BufferId(model.buffers.size());
    model.buffers.push_back(Buffer::Owned(std::move(bytes)));
    op.inputs[1] = TensorId(graph.tensors.size());
    graph.tensors.push_back(std::move(shape));
  }
}

}  // namespace

// Not done with a GraphEditor: its Finish renumbers.
Model ExposeTensors(const Model& model, const std::vector<TensorId>& tensors) {
  Model exposed = model;
  DropNames(exposed);
  FixReshapes(exposed);
  std::vector<TensorId>& outputs = exposed.subgraphs[0].outputs;
  for (TensorId id : tensors) {
    if (std::count(outputs.begin(), outputs.end(), id) == 0) outputs.push_back(id);
  }
  return exposed;
}

ScratchFile::~ScratchFile() {
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
}

absl::StatusOr<std::shared_ptr<const MappedFile>> ScratchFile::Write(const Model& model) const {
  std::ofstream file(path_, std::ios::binary | std::ios::trunc);
  const auto sink = [&](absl::Span<const uint8_t> bytes) -> absl::Status {
    if (file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()))) {
      return absl::OkStatus();
    }
    return ErrnoToStatus(errno, "cannot write", path_);
  };
  LATHE_RETURN_IF_ERROR(WriteModel(model, sink));
  file.close();
  if (!file) return ErrnoToStatus(errno, "cannot write", path_);
  return MappedFile::Open(path_);
}

namespace {

// Constants that are not the input's and are copied into memory twice for a moment, so only a few.
constexpr uint64_t kOwnBytesMax = uint64_t{4} << 20;

uint64_t BytesOutside(const Model& model, absl::Span<const uint8_t> file) {
  const std::less<const uint8_t*> before;
  uint64_t bytes = 0;
  for (const Buffer& buffer : model.buffers) {
    const uint8_t* data = buffer.bytes().data();
    const bool inside = !before(data, file.data()) && before(data, file.data() + file.size());
    if (!inside) bytes += buffer.bytes().size();
  }
  return bytes;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const MappedFile>> MapForRuntime(const Model& model, const MappedFile* input,
                                                                const std::string& scratch_path) {
  if (input == nullptr || input->bytes().empty() || BytesOutside(model, input->bytes()) > kOwnBytesMax) {
    return ScratchFile(scratch_path).Write(model);
  }
  LATHE_ASSIGN_OR_RETURN(const std::string head, SerializeModel(model, {.behind = input->bytes()}));
  return MappedFile::OpenBehind(absl::MakeConstSpan(reinterpret_cast<const uint8_t*>(head.data()), head.size()),
                                input->path());
}

}  // namespace lathe
