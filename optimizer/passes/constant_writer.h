#ifndef LATHE_OPTIMIZER_PASSES_CONSTANT_WRITER_H_
#define LATHE_OPTIMIZER_PASSES_CONSTANT_WRITER_H_

#include <cstdint>
#include <vector>

#include "optimizer/model/graph_editor.h"

namespace lathe {

// Gives operands of operators of subgraph 0 new constant values of the same type and shape, for that operator alone,
// without changing the id of any tensor: in place for the last reader of the tensor, a copy at the end for those before
// (which may not be all: others keep the old values). The model and the editor must outlive it; nobody else rewires
// constants through the editor.
class ConstantWriter {
 public:
  ConstantWriter(const Model& model, GraphEditor& editor);

  // REQUIRES: the operand is a constant of bytes.size() bytes and has not been stored before.
  void Store(OpId op, size_t operand, std::vector<uint8_t> bytes);

 private:
  const Model& model_;
  GraphEditor& editor_;
  std::vector<int> readers_;  // by tensor: operands and interface entries that still name it
};

}  // namespace lathe

#endif  // LATHE_OPTIMIZER_PASSES_CONSTANT_WRITER_H_
