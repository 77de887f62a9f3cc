#include "runtime/exposed_model.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>

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

// Not done with a GraphEditor: its Finish renumbers.
Model ExposeTensors(const Model& model, const std::vector<TensorId>& tensors) {
  Model exposed = model;
  DropNames(exposed);
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

}  // namespace lathe
