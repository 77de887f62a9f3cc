#include "tests/support/pass_properties.h"

#include <gtest/gtest.h>

#include "common/parallel.h"
#include "optimizer/model/dump.h"
#include "optimizer/model/model_verifier.h"
#include "optimizer/model/model_writer.h"

namespace lathe {
namespace {

// What a user of the model can name.
std::string Surface(const Model& model) {
  std::string text;
  auto add = [&](const Subgraph& subgraph, TensorId id, const std::string& name) {
    const Tensor& tensor = subgraph.tensor(id);
    text += absl::StrFormat("%s '%s' %s", name, tensor.name, TensorTypeName(tensor.type));
    for (int32_t dimension : tensor.shape) text += absl::StrFormat(" %d", dimension);
    text += '\n';
  };
  for (const Subgraph& subgraph : model.subgraphs) {
    for (TensorId id : subgraph.inputs) add(subgraph, id, "input");
    for (TensorId id : subgraph.outputs) add(subgraph, id, "output");
  }
  for (const Signature& signature : model.signatures) {
    text += signature.key + '\n';
    const Subgraph& subgraph = model.subgraph(signature.subgraph);
    for (const SignatureEntry& entry : signature.inputs) add(subgraph, entry.tensor, entry.name);
    for (const SignatureEntry& entry : signature.outputs) add(subgraph, entry.tensor, entry.name);
  }
  return text;
}

Model RunWith(int threads, const Pass& pass, Model model, Change* change) {
  const RangeTable ranges = UnitRanges(model);
  PassContext context;
  context.ranges = &ranges;
  absl::StatusOr<Change> result = WithThreads(threads, [&] { return RunPass(pass, model, context); });
  EXPECT_TRUE(result.ok()) << result.status();
  if (result.ok() && change != nullptr) *change = *result;
  return model;
}

}  // namespace

RangeTable UnitRanges(const Model& model) {
  RangeTable ranges;
  const Subgraph& graph = model.subgraphs[0];
  for (size_t i = 0; i < graph.tensors.size(); ++i) {
    if (graph.tensors[i].type == TensorType::kFloat32 && !model.IsConstant(graph.tensors[i])) {
      ranges.Merge(TensorId(i), -1, 1);
    }
  }
  return ranges;
}

Model ExpectPassProperties(const Pass& pass, const Model& model) {
  Change change, again;
  const Model result = RunWith(1, pass, model, &change);
  EXPECT_TRUE(VerifyModel(result).ok()) << VerifyModel(result);
  EXPECT_EQ(change.changed(), DumpModel(result) != DumpModel(model));
  const Model twice = RunWith(1, pass, result, &again);
  EXPECT_FALSE(again.changed());
  EXPECT_EQ(DumpModel(twice), DumpModel(result));
  const absl::StatusOr<std::string> one = SerializeModel(result);
  const absl::StatusOr<std::string> four = SerializeModel(RunWith(4, pass, model, nullptr));
  EXPECT_TRUE(one.ok() && four.ok());
  EXPECT_TRUE(one.value_or("1") == four.value_or("4")) << "bytes depend on the number of threads";
  EXPECT_EQ(Surface(result), Surface(model));
  return result;
}

}  // namespace lathe
