#include "tests/support/odd_models.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <utility>

#include "optimizer/model/model_writer.h"
#include "tests/support/model_builder.h"
#include "tests/support/odd_constants.h"
#include "tests/support/residual_stream.h"

namespace lathe {
namespace {

std::string Write(const Model& model, const WriterOptions& options = {}) {
  absl::StatusOr<std::string> bytes = SerializeModel(model, options);
  if (!bytes.ok()) {
    std::fprintf(stderr, "an odd model cannot be written: %s\n", bytes.status().ToString().c_str());
    std::abort();
  }
  return *std::move(bytes);
}

// Two convolutions with enough weights that every preset makes the file smaller.
TensorId TwoConvolutions(ModelBuilder& builder, TensorId x, uint32_t seed = 1) {
  return builder.Conv2d(builder.Conv2d(x, 32, 3, seed, {.activation = Activation::kRelu}), 32, 3, seed + 5);
}

Model Plain() {
  ModelBuilder builder;
  builder.Output(TwoConvolutions(builder, builder.Input("x", {1, 8, 8, 8})));
  return builder.Build();
}

Model WithSignature() {
  ModelBuilder builder;
  builder.Output(TwoConvolutions(builder, builder.Input("x", {1, 8, 8, 8})));
  builder.AddSignature("serve");
  return builder.Build();
}

template <typename T>
T Load(const std::string& bytes, size_t place) {
  T value{};
  std::memcpy(&value, bytes.data() + place, sizeof(T));
  return value;
}

// The place of field `index` of the flatbuffer table at `table`, or 0 when the table leaves it out.
size_t FieldPlace(const std::string& bytes, size_t table, size_t index) {
  const auto vtable = static_cast<size_t>(static_cast<int64_t>(table) - Load<int32_t>(bytes, table));
  if (4 + 2 * index + 2 > Load<uint16_t>(bytes, vtable)) return 0;
  const uint16_t offset = Load<uint16_t>(bytes, vtable + 4 + 2 * index);
  return offset == 0 ? 0 : table + offset;
}

// As converters wrote before 2020: only OperatorCode.deprecated_builtin_code says what an operator is.
std::string WithOldCodesOnly(std::string bytes) {
  constexpr size_t kOperatorCodes = 1, kBuiltinCode = 3;  // fields of Model and OperatorCode
  const size_t list = FieldPlace(bytes, Load<uint32_t>(bytes, 0), kOperatorCodes);
  const size_t vector = list + Load<uint32_t>(bytes, list);
  for (uint32_t i = 0; i < Load<uint32_t>(bytes, vector); ++i) {
    const size_t entry = vector + 4 + 4 * size_t{i};
    const size_t code = FieldPlace(bytes, entry + Load<uint32_t>(bytes, entry), kBuiltinCode);
    if (code != 0) std::memset(bytes.data() + code, 0, 4);
  }
  return bytes;
}

Model SeveralSignatures() {
  ModelBuilder builder;
  builder.Output(TwoConvolutions(builder, builder.Input("x", {1, 8, 8, 8})));
  builder.AddSignature("serve");
  builder.AddSignature("predict");
  return builder.Build();
}

Model SeveralSubgraphs() {
  ModelBuilder builder;
  builder.Output(TwoConvolutions(builder, builder.Input("x", {1, 8, 8, 8})));
  builder.AddSignature("first");
  builder.AddSubgraph("other");
  builder.Output(TwoConvolutions(builder, builder.Input("x", {1, 8, 8, 8}), 40));
  builder.AddSignature("second");
  return builder.Build();
}

// A convolution, then IF with one in each branch.
Model IfBranches() {
  ModelBuilder builder;
  const TensorId condition = builder.Input("condition", {}, TensorType::kBool);
  const TensorId x = builder.Conv2d(builder.Input("x", {1, 8, 8, 8}), 32, 3, 1);
  const TensorId y = builder.Activation("y", {1, 8, 8, 16});
  builder.AddOp(OpKind::kIf, {condition, x}, {y}, MakeIfOptions(SubgraphId(1), SubgraphId(2)));
  builder.Output(y);
  builder.AddSubgraph("then");
  builder.Output(builder.Conv2d(builder.Input("in", {1, 8, 8, 32}), 16, 3, 21));
  builder.AddSubgraph("else");
  builder.Output(builder.Conv2d(builder.Input("in", {1, 8, 8, 32}), 16, 3, 31));
  return builder.Build();
}

// Three turns of x = tanh(convolution(x)).
Model WhileBody() {
  ModelBuilder builder;
  const TensorId x = builder.Conv2d(builder.Input("x", {1, 8, 8, 8}), 16, 3, 1);
  const TensorId turns = builder.Activation("turns", {}, TensorType::kInt32),
                 y = builder.Activation("y", {1, 8, 8, 16});
  builder.AddOp(OpKind::kWhile, {builder.Constant("zero", {}, std::vector<int32_t>{0}), x}, {turns, y},
                MakeWhileOptions(SubgraphId(1), SubgraphId(2)));
  builder.Output(y);
  builder.AddSubgraph("condition");
  const TensorId count = builder.Input("count", {}, TensorType::kInt32);
  builder.Input("value", {1, 8, 8, 16});
  builder.Output(AddStep(builder, OpKind::kLess, {count, builder.Constant("three", {}, std::vector<int32_t>{3})}, {},
                         {}, TensorType::kBool));
  builder.AddSubgraph("body");
  const TensorId i = builder.Input("i", {}, TensorType::kInt32);
  const TensorId value = builder.Input("v", {1, 8, 8, 16});
  const TensorId next = AddStep(builder, OpKind::kAdd, {i, builder.Constant("one", {}, std::vector<int32_t>{1})}, {},
                                MakeAddOptions(), TensorType::kInt32);
  builder.Output(next);
  builder.Output(AddStep(builder, OpKind::kTanh, {builder.Conv2d(value, 16, 3, 21)}, {1, 8, 8, 16}));
  return builder.Build();
}

Model CustomOperator() {
  ModelBuilder builder;
  const TensorId x = TwoConvolutions(builder, builder.Input("x", {1, 8, 8, 8}));
  const TensorId y = builder.Activation("y", {1, 8, 8, 32});
  const OpId custom = builder.AddOp(OpKind::kCustom, {x}, {y});
  builder.model().subgraphs[0].ops[custom.index()].custom_code = "SomebodysOperator";
  builder.model().subgraphs[0].ops[custom.index()].options.custom = {1, 2, 3};
  builder.Output(y);
  return builder.Build();
}

Model Composite() {
  ModelBuilder builder;
  const TensorId x = TwoConvolutions(builder, builder.Input("x", {1, 8, 8, 8}));
  const TensorId y = builder.Activation("y", {1, 8, 8, 32});
  builder.AddOp(OpKind::kStablehloComposite, {x}, {y}, MakeCompositeOptions("somebody.relu", SubgraphId(1)));
  builder.Output(y);
  builder.AddSubgraph("decomposition");
  const TensorId in = builder.Input("in", {1, 8, 8, 32});
  builder.Output(AddStep(builder, OpKind::kRelu, {in}, {1, 8, 8, 32}));
  return builder.Build();
}

// One filter behind a small and behind a large activation, so that their biases need different scales.
Model SharedWeights() {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 8, 8, 16});
  const TensorId weights = builder.RandomConstant("w", {16, 3, 3, 16}, 1), bias = builder.RandomConstant("b", {16}, 2);
  const TensorId y = AddStep(builder, OpKind::kConv2d, {x, weights, bias}, {1, 8, 8, 16}, MakeConvOptions({}));
  builder.Output(AddStep(builder, OpKind::kConv2d, {y, weights, bias}, {1, 8, 8, 16}, MakeConvOptions({})));
  return builder.Build();
}

// The same tensor as a filter and as an operand of MUL.
Model WeightsWithAnotherRole() {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 8, 8, 16}), z = builder.Input("z", {16, 3, 3, 16});
  const TensorId weights = builder.RandomConstant("w", {16, 3, 3, 16}, 1);
  builder.Output(AddStep(builder, OpKind::kConv2d, {x, weights, builder.RandomConstant("b", {16}, 2)}, {1, 8, 8, 16},
                         MakeConvOptions({})));
  builder.Output(AddStep(builder, OpKind::kMul, {z, weights}, {16, 3, 3, 16}, MakeMulOptions()));
  return builder.Build();
}

Model SharedBias() {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 8, 8, 16}), bias = builder.RandomConstant("b", {16}, 2);
  const TensorId y = AddStep(builder, OpKind::kConv2d, {x, builder.RandomConstant("w", {16, 3, 3, 16}, 1), bias},
                             {1, 8, 8, 16}, MakeConvOptions({}));
  builder.Output(AddStep(builder, OpKind::kConv2d, {y, builder.RandomConstant("v", {16, 3, 3, 16}, 3, -9, 9), bias},
                         {1, 8, 8, 16}, MakeConvOptions({})));
  return builder.Build();
}

Model SharedMulOperand() {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 8, 8, 16});
  const TensorId factor = builder.RandomConstant("factor", {1, 8, 8, 16}, 4);
  const TensorId a =
      AddStep(builder, OpKind::kMul, {builder.Conv2d(x, 16, 3, 1), factor}, {1, 8, 8, 16}, MakeMulOptions());
  const TensorId b =
      AddStep(builder, OpKind::kMul, {builder.Conv2d(a, 16, 3, 7), factor}, {1, 8, 8, 16}, MakeMulOptions());
  builder.Output(AddStep(builder, OpKind::kAdd, {b, factor}, {1, 8, 8, 16}, MakeAddOptions()));
  return builder.Build();
}

Model Renamed(const std::string& name) {
  Model model = Plain();
  for (Tensor& tensor : model.subgraphs[0].tensors) tensor.name = name;
  return model;
}

Model Dynamic(std::vector<size_t> axes) {
  Model model = Plain();
  for (Tensor& tensor : model.subgraphs[0].tensors) {
    if (model.IsConstant(tensor)) continue;
    tensor.shape_signature = tensor.shape;
    for (size_t axis : axes) {
      tensor.shape[axis] = 1;
      tensor.shape_signature[axis] = -1;
    }
  }
  return model;
}

Model Scalars() {
  ModelBuilder builder;
  const TensorId s = builder.Input("s", {}), y = TwoConvolutions(builder, builder.Input("x", {1, 8, 8, 8}));
  builder.Output(AddStep(builder, OpKind::kMul, {y, s}, {1, 8, 8, 32}, MakeMulOptions()));
  builder.Output(
      AddStep(builder, OpKind::kAdd, {s, builder.Constant("c", {}, std::vector<float>{2})}, {}, MakeAddOptions()));
  return builder.Build();
}

Model ZeroSized() {
  ModelBuilder builder;
  const TensorId y = TwoConvolutions(builder, builder.Input("x", {1, 8, 8, 8}));
  builder.Output(y);
  builder.Constant("nothing", {0, 4}, std::vector<float>{});
  builder.Activation("also nothing", {0});
  return builder.Build();
}

Model UnusedInput() {
  ModelBuilder builder;
  builder.Input("unused", {1, 5});
  builder.Output(TwoConvolutions(builder, builder.Input("x", {1, 8, 8, 8})));
  builder.AddSignature("serve");
  return builder.Build();
}

Model InputIsOutput() {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 8, 8, 8});
  builder.Output(TwoConvolutions(builder, x));
  builder.Output(x);
  return builder.Build();
}

Model NothingButWires() {
  ModelBuilder builder;
  builder.Output(builder.Input("x", {1, 8}));
  return builder.Build();
}

Model OutputTwice() {
  ModelBuilder builder;
  const TensorId y = TwoConvolutions(builder, builder.Input("x", {1, 8, 8, 8}));
  builder.Output(y);
  builder.Output(y);
  return builder.Build();
}

Model ConstantOutput() {
  ModelBuilder builder;
  builder.Output(TwoConvolutions(builder, builder.Input("x", {1, 8, 8, 8})));
  builder.Output(builder.RandomConstant("anchors", {16, 4}, 3));
  return builder.Build();
}

std::string ReadBeforeWritten() {
  Model model = Plain();
  std::swap(model.subgraphs[0].ops[0], model.subgraphs[0].ops[1]);
  return Write(model);
}

Model Tiny() {
  ModelBuilder builder;
  TensorId x = builder.Input("x", {1, 6, 6, 2});
  for (uint32_t i = 0; i < 4; ++i) x = builder.Conv2d(x, 2, 1, i);
  builder.Output(x);
  return builder.Build();
}

// A convolution of 300 channels; `change` edits its weights, row by row.
Model ManyChannels(const std::function<void(size_t channel, absl::Span<float> row)>& change) {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 8, 8, 8});
  std::vector<float> weights(300 * 72);
  for (size_t i = 0; i < weights.size(); ++i) weights[i] = std::sin(static_cast<float>(i) * 1.7f);
  for (size_t c = 0; c < 300; ++c) change(c, absl::MakeSpan(weights).subspan(c * 72, 72));
  const TensorId y = AddStep(
      builder, OpKind::kConv2d,
      {x, builder.Constant("weights of 300 channels", {300, 3, 3, 8}, weights), builder.RandomConstant("b", {300}, 2)},
      {1, 8, 8, 300}, MakeConvOptions({.activation = Activation::kRelu}));
  builder.Output(builder.Conv2d(y, 8, 1, 3));
  return builder.Build();
}

Model Grouped() {
  ModelBuilder builder;
  const TensorId x = builder.Conv2d(builder.Input("x", {1, 8, 8, 8}), 32, 3, 1);
  builder.Output(AddStep(builder, OpKind::kConv2d,
                         {x, builder.RandomConstant("w", {32, 3, 3, 8}, 5), builder.RandomConstant("b", {32}, 6)},
                         {1, 8, 8, 32}, MakeConvOptions({}), TensorType::kFloat32));
  return builder.Build();
}

Model Dilated() {
  ModelBuilder builder;
  const TensorId x = builder.Conv2d(builder.Input("x", {1, 12, 12, 8}), 32, 3, 1, {.dilation_h = 2, .dilation_w = 3});
  builder.Output(builder.DepthwiseConv2d(builder.Conv2d(x, 32, 3, 4), 3, 8, {.dilation_h = 2, .dilation_w = 2}));
  return builder.Build();
}

Model SeveralInputsAndOutputs() {
  ModelBuilder builder;
  const TensorId a = builder.Input("a", {1, 8, 8, 8}), b = builder.Input("b", {1, 8, 8, 8});
  const TensorId x = TwoConvolutions(builder, a), y = TwoConvolutions(builder, b, 31);
  builder.Output(x);
  builder.Output(AddStep(builder, OpKind::kAdd, {x, y}, {1, 8, 8, 32}, MakeAddOptions()));
  builder.Output(y);
  builder.AddSignature("serve");
  return builder.Build();
}

Model Metadata() {
  Model model = WithSignature();
  model.buffers.push_back(Buffer::Owned({'n', 'o', 't', 'e', 's'}));
  model.metadata.push_back({"SOMEBODYS_NOTES", BufferId(model.buffers.size() - 1)});
  model.description = "described";
  return model;
}

Model IntegerAndBoolTensors() {
  ModelBuilder builder;
  const TensorId ids = builder.Input("ids", {1, 8}, TensorType::kInt64),
                 flag = builder.Input("flag", {}, TensorType::kBool);
  const TensorId narrow = AddStep(builder, OpKind::kCast, {ids}, {1, 8}, {}, TensorType::kInt32);
  const TensorId rows = AddStep(builder, OpKind::kGather, {builder.RandomConstant("table", {64, 32}, 1), narrow},
                                {1, 8, 32}, MakeGatherOptions(0));
  const TensorId flat = AddStep(builder, OpKind::kReshape, {rows}, {1, 256}, MakeReshapeOptions({1, 256}));
  builder.Output(builder.FullyConnected(flat, 32, 4));
  builder.Output(AddStep(builder, OpKind::kLogicalNot, {flag}, {}, {}, TensorType::kBool));
  return builder.Build();
}

Model StringTensors() {
  ModelBuilder builder;
  builder.Output(TwoConvolutions(builder, builder.Input("x", {1, 8, 8, 8})));
  const TensorId text = builder.Input("text", {1}, TensorType::kString);
  builder.Output(AddStep(builder, OpKind::kReshape, {text}, {1, 1}, MakeReshapeOptions({1, 1}), TensorType::kString));
  return builder.Build();
}

Model DeepChain() {
  ModelBuilder builder;
  TensorId x = builder.FullyConnected(builder.Input("x", {1, 64}), 64, 1);
  const TensorId c = builder.RandomConstant("c", {64}, 2, -0.01f, 0.01f);
  for (int i = 0; i < 2000; ++i) x = AddStep(builder, OpKind::kAdd, {x, c}, {1, 64}, MakeAddOptions(Activation::kRelu));
  builder.Output(builder.FullyConnected(x, 64, 3));
  return builder.Build();
}

Model DeadBranch() {
  ModelBuilder builder;
  const TensorId x = builder.Input("x", {1, 8, 8, 8});
  TwoConvolutions(builder, x, 50);
  builder.RandomConstant("left over", {1000}, 9);
  builder.Output(TwoConvolutions(builder, x));
  return builder.Build();
}

// Convolution, MUL, ADD, RELU6 with the factor computed from constants in the graph.
Model BatchNormalisationLeftOver() {
  ModelBuilder builder;
  const std::vector<int32_t> channels = {32}, image = {1, 8, 8, 32};
  const TensorId variance = builder.RandomConstant("variance", channels, 1, 0.5f, 2);
  const TensorId epsilon = builder.Constant("epsilon", {}, std::vector<float>{1e-3f});
  const TensorId sum = AddStep(builder, OpKind::kAdd, {variance, epsilon}, channels, MakeAddOptions());
  const TensorId scale = AddStep(builder, OpKind::kRsqrt, {sum}, channels);
  TensorId x = builder.Conv2d(builder.Input("x", {1, 8, 8, 8}), 32, 3, 2);
  x = AddStep(builder, OpKind::kMul, {x, scale}, image, MakeMulOptions());
  x = AddStep(builder, OpKind::kAdd, {x, builder.RandomConstant("shift", channels, 4)}, image, MakeAddOptions());
  x = AddStep(builder, OpKind::kRelu6, {x}, image);
  builder.Output(builder.Conv2d(x, 16, 3, 8));
  return builder.Build();
}

// A counter that CALL_ONCE sets to zero and every run reads and writes, beside the convolutions.
Model VariablesSetOnce() {
  ModelBuilder builder;
  const std::vector<int32_t> shape = {1, 8, 8, 32};
  const auto handle = [&](const std::string& name) {
    const TensorId id = builder.Activation(name, {}, TensorType::kResource);
    builder.AddOp(OpKind::kVarHandle, {}, {id}, MakeVarHandleOptions("", "state"));
    return id;
  };
  builder.AddOp(OpKind::kCallOnce, {}, {}, MakeCallOnceOptions(SubgraphId(1)));
  const TensorId y = TwoConvolutions(builder, builder.Input("x", {1, 8, 8, 8})), state = handle("handle");
  const TensorId sum = AddStep(builder, OpKind::kAdd, {y, AddStep(builder, OpKind::kReadVariable, {state}, shape)},
                               shape, MakeAddOptions());
  builder.AddOp(OpKind::kAssignVariable, {state, sum}, {});
  builder.Output(sum);
  builder.AddSubgraph("initialise");
  const TensorId zeros = builder.Constant("zeros", shape, std::vector<float>(2048, 0.0f));
  builder.AddOp(OpKind::kAssignVariable, {handle("handle"), zeros}, {});
  return builder.Build();
}

std::vector<OddModel> MakeOddModels() {
  const auto file = [](Model (*make)()) { return [make] { return Write(make()); }; };
  const float nan = std::nanf("");
  return {
      {.name = "old_operator_codes", .write = [] { return WithOldCodesOnly(Write(WithSignature())); }},
      {.name = "no_signature", .write = file(Plain)},
      {.name = "several_signatures", .write = file(SeveralSignatures)},
      {.name = "several_subgraphs", .write = file(SeveralSubgraphs)},
      {.name = "if_branches", .write = file(IfBranches)},
      {.name = "while_body", .write = file(WhileBody)},
      {.name = "variables_set_once", .write = file(VariablesSetOnce)},
      {.name = "custom_operator",
       .write = file(CustomOperator),
       .refusals = {"RUNTIME_REFUSED"},
       .refusal_names = "cannot run"},
      {.name = "composite", .write = file(Composite)},
      {.name = "half_weights", .write = file(HalfWeights)},
      {.name = "sparse_weights", .write = [] { return Write(SparseWeights(false)); }},
      {.name = "sparse_half_weights", .write = [] { return Write(SparseWeights(true)); }},
      {.name = "sparse_half_weights_in_an_old_file",
       .write = [] { return WithOldCodesOnly(Write(SparseWeights(true))); }},
      {.name = "half_quantized", .write = file(HalfQuantized)},
      {.name = "half_quantized_weights", .write = file(HalfQuantizedWeights)},
      {.name = "shared_weights", .write = file(SharedWeights)},
      {.name = "weights_with_another_role", .write = file(WeightsWithAnotherRole)},
      {.name = "shared_bias", .write = file(SharedBias)},
      {.name = "shared_mul_operand", .write = file(SharedMulOperand)},
      {.name = "duplicate_names", .write = [] { return Write(Renamed("t")); }},
      {.name = "empty_names", .write = [] { return Write(Renamed("")); }},
      {.name = "dynamic_batch", .write = [] { return Write(Dynamic({0})); }},
      {.name = "dynamic_image",
       .write =
           [] {
             return Write(Dynamic({1, 2}));
           }},
      {.name = "scalars", .write = file(Scalars)},
      {.name = "zero_sized_tensors", .write = file(ZeroSized)},
      {.name = "unused_input", .write = file(UnusedInput)},
      {.name = "input_is_output", .write = file(InputIsOutput)},
      {.name = "nothing_but_wires", .write = file(NothingButWires)},
      {.name = "output_twice", .write = file(OutputTwice)},
      {.name = "constant_output", .write = file(ConstantOutput)},
      {.name = "read_before_written",
       .write = ReadBeforeWritten,
       .refusals = {"MODEL_CORRUPT"},
       .refusal_names = "out of order"},
      {.name = "tiny", .write = file(Tiny)},
      {.name = "all_int8", .write = [] { return Write(AllInteger(TensorType::kInt8, 1.0f / 64)); }},
      {.name = "all_int16x8", .write = [] { return Write(AllInteger(TensorType::kInt16, 1.0f / 8192)); }},
      {.name = "legacy_uint8", .write = file(LegacyUint8)},
      {.name = "data_after_the_flatbuffer", .write = [] { return Write(Plain(), {.inline_bytes_max = 0}); }},
      {.name = "dead_channels",
       .write =
           [] {
             return Write(ManyChannels([](size_t channel, absl::Span<float> row) {
               if (channel % 2 == 0) std::fill(row.begin(), row.end(), 0.0f);
               if (channel % 3 == 0) std::fill(row.begin(), row.end(), 1e-8f);
             }));
           }},
      {.name = "nan_weights",
       .write =
           [nan] {
             return Write(ManyChannels([nan](size_t channel, absl::Span<float> row) {
               if (channel == 17) row[3] = nan;
             }));
           },
       .refusals = {"WEIGHTS_NOT_FINITE", "ACTIVATION_NOT_FINITE"},
       .refusal_names = "finite"},
      {.name = "huge_weights",
       .write =
           [] {
             return Write(ManyChannels([](size_t channel, absl::Span<float> row) {
               for (float& weight : row) weight *= channel == 17 ? 1e30f : 1.0f;
             }));
           },
       .least_float16_db = 0},  // clamped, which the report says
      {.name = "grouped_convolution", .write = file(Grouped)},
      {.name = "dilated_convolution", .write = file(Dilated)},
      {.name = "several_inputs_and_outputs", .write = file(SeveralInputsAndOutputs)},
      {.name = "metadata", .write = file(Metadata)},
      {.name = "integer_and_bool_tensors", .write = file(IntegerAndBoolTensors)},
      {.name = "string_tensors",
       .write = file(StringTensors),
       .refusals = {"MODEL_UNSUPPORTED"},
       .refusal_names = "text"},
      {.name = "deep_chain", .write = file(DeepChain)},
      {.name = "dead_branch", .write = file(DeadBranch)},
      {.name = "batch_normalisation_left_over", .write = file(BatchNormalisationLeftOver)},
      {.name = "constants_in_a_residual_stream",
       .write =
           [] { return Write(SmallTransformer({.embedding = 40, .per_token = true, .position = -30, .bias = 15})); }},
  };
}

}  // namespace

const std::vector<OddModel>& OddModels() {
  static const auto& models = *new std::vector<OddModel>(MakeOddModels());
  return models;
}

}  // namespace lathe
