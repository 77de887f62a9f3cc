#include "tests/fuzz/random_network.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "optimizer/model/op_options.h"
#include "optimizer/model/uses.h"
#include "tests/support/model_builder.h"
#include "tests/support/operator_options.h"

namespace lathe {
namespace {

using Shape = std::vector<int32_t>;

constexpr int32_t kElementsMax = 4096;
constexpr int32_t kChannelsMax = 48;

class NetworkMaker {
 public:
  explicit NetworkMaker(uint32_t seed) : random_(seed) {}

  Model Make() {
    const int32_t size = Pick({4, 6, 8});
    pool_.push_back(builder_.Input("input", {1, size, size, Below(8) + 1}));
    const int count = 3 + Below(12);
    for (int made = 0, tries = 0; made < count && tries < 200; ++tries) {
      const bool recent = Below(10) < 7;
      const TensorId x = recent ? pool_.back() : pool_[static_cast<size_t>(Below(static_cast<int32_t>(pool_.size())))];
      if (Step(x)) ++made;
    }
    const UseMap uses(builder_.model().subgraphs[0]);
    for (TensorId id : ends_) builder_.Output(id);
    for (TensorId id : pool_) {
      if (uses.consumers(id).empty() && !uses.IsSubgraphInput(id)) builder_.Output(id);
    }
    return builder_.Build();
  }

 private:
  using Maker = bool (NetworkMaker::*)(TensorId);

  bool Step(TensorId x) {
    static constexpr Maker kMakers[] = {
        &NetworkMaker::Convolution,
        &NetworkMaker::Convolution,
        &NetworkMaker::Convolution,
        &NetworkMaker::Depthwise,
        &NetworkMaker::Depthwise,
        &NetworkMaker::TransposedConvolution,
        &NetworkMaker::FullyConnected,
        &NetworkMaker::FullyConnected,
        &NetworkMaker::Pool,
        &NetworkMaker::Pad,
        &NetworkMaker::Resize,
        &NetworkMaker::BlockToChannels,
        &NetworkMaker::Reduce,
        &NetworkMaker::Pointwise,
        &NetworkMaker::Pointwise,
        &NetworkMaker::Pointwise,
        &NetworkMaker::Leaky,
        &NetworkMaker::Prelu,
        &NetworkMaker::WithConstant,
        &NetworkMaker::WithConstant,
        &NetworkMaker::WithOther,
        &NetworkMaker::WithOther,
        &NetworkMaker::WithOther,
        &NetworkMaker::Softmax,
        &NetworkMaker::Concatenate,
        &NetworkMaker::Split,
        &NetworkMaker::Flatten,
        &NetworkMaker::Transpose,
        &NetworkMaker::Slice,
        &NetworkMaker::Gather,
        &NetworkMaker::Attention,
        &NetworkMaker::PackAndUnpack,
        &NetworkMaker::ExpandAndSqueeze,
        &NetworkMaker::Normalize,
    };
    return (this->*kMakers[static_cast<size_t>(Below(static_cast<int32_t>(std::size(kMakers))))])(x);
  }

  uint32_t Seed() { return static_cast<uint32_t>(random_()); }
  int32_t Below(int32_t count) { return static_cast<int32_t>(Seed() % static_cast<uint32_t>(count)); }
  int32_t Pick(std::initializer_list<int32_t> values) {
    return *(values.begin() + Below(static_cast<int32_t>(values.size())));
  }
  OpKind PickKind(std::initializer_list<OpKind> kinds) {
    return *(kinds.begin() + Below(static_cast<int32_t>(kinds.size())));
  }
  Activation PickActivation() {
    const int32_t choice = Below(4);
    return choice == 0 ? Activation::kRelu : choice == 1 ? Activation::kRelu6 : Activation::kNone;
  }

  const Shape& ShapeOf(TensorId id) { return builder_.model().subgraphs[0].tensor(id).shape; }
  std::string Name(const char* kind) { return kind + std::to_string(builder_.model().subgraphs[0].tensors.size()); }
  static int32_t Elements(const Shape& shape) {
    return std::accumulate(shape.begin(), shape.end(), 1, std::multiplies<int32_t>());
  }

  TensorId Weights(Shape shape, int32_t fan_in) {
    const float limit = std::sqrt(3.0f / static_cast<float>(fan_in));
    return builder_.RandomConstant(Name("weights"), std::move(shape), Seed(), -limit, limit);
  }
  TensorId Bias(int32_t channels) { return builder_.RandomConstant(Name("bias"), {channels}, Seed(), -0.3f, 0.3f); }
  TensorId Ints(Shape values) {
    const auto count = static_cast<int32_t>(values.size());
    return builder_.Constant(Name("ints"), {count}, std::move(values));
  }

  // One operator with one result, which becomes a tensor that later operators may read.
  bool Add(OpKind kind, std::vector<TensorId> inputs, Shape shape, OpOptions options = {}) {
    const TensorId out = builder_.Activation(Name("t"), std::move(shape));
    builder_.AddOp(kind, std::move(inputs), {out}, std::move(options));
    pool_.push_back(out);
    return true;
  }

  bool IsImage(TensorId x) { return ShapeOf(x).size() == 4; }

  bool Convolution(TensorId x) {
    const Shape in = ShapeOf(x);
    if (!IsImage(x)) return false;
    const int32_t kernel = Pick({1, 1, 3}), filters = Pick({2, 4, 8, 12, 16});
    const ConvOptions options{.same_padding = Below(3) > 0,
                              .stride_h = Pick({1, 1, 2}),
                              .stride_w = Pick({1, 1, 2}),
                              .activation = PickActivation()};
    if (!options.same_padding && (in[1] < kernel || in[2] < kernel)) return false;
    return Add(OpKind::kConv2d, {x, Weights({filters, kernel, kernel, in[3]}, kernel * kernel * in[3]), Bias(filters)},
               {1, Windows(in[1], kernel, options.stride_h, options.same_padding),
                Windows(in[2], kernel, options.stride_w, options.same_padding), filters},
               MakeConvOptions(options));
  }

  static int32_t Windows(int32_t size, int32_t kernel, int32_t stride, bool same) {
    return same ? (size + stride - 1) / stride : (size - kernel) / stride + 1;
  }

  bool Depthwise(TensorId x) {
    const Shape in = ShapeOf(x);
    if (!IsImage(x)) return false;
    const int32_t multiplier = Pick({1, 1, 1, 2}), channels = in[3] * multiplier, stride = Pick({1, 1, 2});
    if (channels > kChannelsMax) return false;
    const ConvOptions options{.same_padding = true,
                              .stride_h = stride,
                              .stride_w = stride,
                              .depth_multiplier = multiplier,
                              .activation = PickActivation()};
    return Add(OpKind::kDepthwiseConv2d, {x, Weights({1, 3, 3, channels}, 9), Bias(channels)},
               {1, Windows(in[1], 3, stride, true), Windows(in[2], 3, stride, true), channels},
               MakeDepthwiseConvOptions(options));
  }

  bool TransposedConvolution(TensorId x) {
    const Shape in = ShapeOf(x);
    if (!IsImage(x) || Elements(in) > 1024) return false;
    const int32_t filters = Pick({2, 4, 8});
    const Shape out = {1, in[1] * 2, in[2] * 2, filters};
    if (Elements(out) > kElementsMax) return false;
    return Add(OpKind::kTransposeConv, {Ints(out), Weights({filters, 3, 3, in[3]}, 3 * in[3]), x, Bias(filters)}, out,
               MakeTransposeConvOptions({.same_padding = true, .stride_h = 2, .stride_w = 2}));
  }

  bool FullyConnected(TensorId x) {
    const Shape in = ShapeOf(x);
    const int32_t units = Pick({3, 8, 16});
    FullyConnectedOptions options;
    options.activation = PickActivation();
    options.keep_num_dims = in.size() != 2;
    Shape out = in;
    out.back() = units;
    std::vector<TensorId> inputs = {x, Weights({units, in.back()}, in.back())};
    if (Below(4) > 0) inputs.push_back(Bias(units));
    return Add(OpKind::kFullyConnected, inputs, out, MakeFullyConnectedOptions(options));
  }

  bool Pool(TensorId x) {
    const Shape in = ShapeOf(x);
    if (!IsImage(x) || in[1] < 2 || in[2] < 2) return false;
    const PoolOptions options{
        .same_padding = Below(2) == 0, .stride_h = 2, .stride_w = 2, .filter_h = 2, .filter_w = 2};
    return Add(PickKind({OpKind::kMaxPool2d, OpKind::kAveragePool2d}), {x},
               {1, Windows(in[1], 2, 2, options.same_padding), Windows(in[2], 2, 2, options.same_padding), in[3]},
               MakePoolOptions(options));
  }

  bool Pad(TensorId x) {
    const Shape in = ShapeOf(x);
    if (!IsImage(x) || in[1] < 2 || in[2] < 2) return false;
    const bool mirror = Below(3) == 0, channels = !mirror && Below(3) == 0;
    const int32_t added = channels ? 2 : 0;
    const Shape out = {1, in[1] + 2, in[2] + 1, in[3] + added};
    if (Elements(out) > kElementsMax) return false;
    const TensorId paddings =
        builder_.Constant(Name("paddings"), {4, 2}, std::vector<int32_t>{0, 0, 1, 1, 0, 1, 0, added});
    if (mirror) return Add(OpKind::kMirrorPad, {x, paddings}, out, MakeMirrorPadOptions(Below(2) == 0));
    return Add(OpKind::kPad, {x, paddings}, out);
  }

  bool Resize(TensorId x) {
    const Shape in = ShapeOf(x);
    if (!IsImage(x) || Elements(in) > 1024) return false;
    return Add(PickKind({OpKind::kResizeBilinear, OpKind::kResizeNearestNeighbor}), {x, Ints({in[1] * 2, in[2] + 1})},
               {1, in[1] * 2, in[2] + 1, in[3]});
  }

  bool BlockToChannels(TensorId x) {
    const Shape in = ShapeOf(x);
    if (!IsImage(x)) return false;
    if (in[3] % 4 == 0 && Below(2) == 0) {
      return Add(OpKind::kDepthToSpace, {x}, {1, in[1] * 2, in[2] * 2, in[3] / 4}, MakeDepthToSpaceOptions(2));
    }
    if (in[1] % 2 != 0 || in[2] % 2 != 0 || in[3] * 4 > kChannelsMax) return false;
    return Add(OpKind::kSpaceToDepth, {x}, {1, in[1] / 2, in[2] / 2, in[3] * 4}, MakeSpaceToDepthOptions(2));
  }

  bool Reduce(TensorId x) {
    const Shape in = ShapeOf(x);
    const OpKind kind = PickKind({OpKind::kMean, OpKind::kMean, OpKind::kSum, OpKind::kReduceMax, OpKind::kReduceMin});
    if (IsImage(x) && Below(3) > 0) {
      const bool keep = Below(2) == 0;
      return Add(kind, {x, Ints({1, 2})}, keep ? Shape{1, 1, 1, in[3]} : Shape{1, in[3]}, MakeReducerOptions(keep));
    }
    Shape out = in;
    out.back() = 1;
    return Add(kind, {x, Ints({static_cast<int32_t>(in.size()) - 1})}, out, MakeReducerOptions(true));
  }

  bool Pointwise(TensorId x) {
    const OpKind kind =
        PickKind({OpKind::kRelu, OpKind::kRelu6, OpKind::kLogistic, OpKind::kTanh, OpKind::kHardSwish, OpKind::kGelu,
                  OpKind::kElu, OpKind::kAbs, OpKind::kNeg, OpKind::kSquare, OpKind::kSin});
    return Add(kind, {x}, ShapeOf(x));
  }

  bool Leaky(TensorId x) {
    return Add(OpKind::kLeakyRelu, {x}, ShapeOf(x), MakeLeakyReluOptions(Below(2) == 0 ? 0.1f : 0.3f));
  }

  bool Prelu(TensorId x) {
    if (!IsImage(x)) return false;
    return Add(OpKind::kPrelu, {x, builder_.RandomConstant(Name("alpha"), {1, 1, ShapeOf(x)[3]}, Seed(), 0, 0.5f)},
               ShapeOf(x));
  }

  OpOptions ArithmeticOptions(OpKind kind) {
    if (kind == OpKind::kAdd) return MakeAddOptions(PickActivation());
    if (kind == OpKind::kSub) return MakeSubOptions(PickActivation());
    return kind == OpKind::kMul ? MakeMulOptions() : OpOptions();
  }

  bool WithConstant(TensorId x) {
    const OpKind kind =
        PickKind({OpKind::kAdd, OpKind::kSub, OpKind::kMul, OpKind::kMul, OpKind::kMaximum, OpKind::kMinimum});
    const int32_t channels = ShapeOf(x).back();
    const TensorId constant = Below(3) == 0
                                  ? builder_.RandomConstant(Name("scalar"), {1}, Seed(), -1, 1)
                                  : builder_.RandomConstant(Name("constant"), {channels}, Seed(), -1.5f, 1.5f);
    const bool first = kind != OpKind::kMaximum && kind != OpKind::kMinimum && Below(4) == 0;
    const OpOptions options = ArithmeticOptions(kind);
    return Add(kind, first ? std::vector{constant, x} : std::vector{x, constant}, ShapeOf(x), options);
  }

  // The newest other tensor of the same shape; invalid if there is none.
  TensorId Partner(TensorId x) {
    for (size_t i = pool_.size(); i-- > 0;) {
      if (pool_[i] != x && ShapeOf(pool_[i]) == ShapeOf(x)) return pool_[i];
    }
    return TensorId();
  }

  bool WithOther(TensorId x) {
    const TensorId other = Partner(x);
    if (!other.valid()) return false;
    const OpKind kind = PickKind({OpKind::kAdd, OpKind::kAdd, OpKind::kSub, OpKind::kMul, OpKind::kMaximum,
                                  OpKind::kMinimum, OpKind::kSquaredDifference});
    const OpOptions options = ArithmeticOptions(kind);
    return Add(kind, {x, other}, ShapeOf(x), options);
  }

  // Nothing reads its result: SOFTMAX has a fixed scale, and what amplifies its small differences has no bound.
  bool Softmax(TensorId x) {
    if (ShapeOf(x).back() < 2 || ShapeOf(x).back() > 16) return false;
    if (Below(4) == 0) {
      Add(OpKind::kLogSoftmax, {x}, ShapeOf(x));
    } else {
      Add(OpKind::kSoftmax, {x}, ShapeOf(x), MakeSoftmaxOptions(1));
    }
    End();
    return true;
  }

  // The newest tensor becomes an output that nothing reads.
  void End() {
    ends_.push_back(pool_.back());
    pool_.pop_back();
  }

  bool Concatenate(TensorId x) {
    const TensorId other = Partner(x);
    Shape out = ShapeOf(x);
    if (!other.valid() || out.back() * 2 > kChannelsMax) return false;
    out.back() *= 2;
    return Add(OpKind::kConcatenation, {x, other}, out,
               MakeConcatenationOptions(static_cast<int32_t>(out.size()) - 1, Activation::kNone));
  }

  bool Split(TensorId x) {
    Shape out = ShapeOf(x);
    if (out.back() % 2 != 0) return false;
    const auto axis = static_cast<int32_t>(out.size()) - 1;
    out.back() /= 2;
    const TensorId a = builder_.Activation(Name("t"), out), b = builder_.Activation(Name("t"), out);
    if (Below(2) == 0) {
      builder_.AddOp(OpKind::kSplit, {Ints({axis}), x}, {a, b}, MakeSplitOptions(2));
    } else {
      builder_.AddOp(OpKind::kSplitV, {x, Ints({out.back(), out.back()}), Ints({axis})}, {a, b}, MakeSplitVOptions(2));
    }
    pool_.push_back(a);
    pool_.push_back(b);
    return true;
  }

  bool Flatten(TensorId x) {
    const int32_t count = Elements(ShapeOf(x));
    if (!IsImage(x) || count > 512) return false;
    return Add(OpKind::kReshape, {x, Ints({1, count})}, {1, count}, MakeReshapeOptions({1, count}));
  }

  bool Transpose(TensorId x) {
    const Shape in = ShapeOf(x);
    if (!IsImage(x)) return false;
    if (Below(2) == 0) return Add(OpKind::kTranspose, {x, Ints({0, 2, 1, 3})}, {1, in[2], in[1], in[3]});
    if (in[1] > kChannelsMax) return false;
    return Add(OpKind::kTranspose, {x, Ints({0, 3, 2, 1})}, {1, in[3], in[2], in[1]});
  }

  bool Slice(TensorId x) {
    const Shape in = ShapeOf(x);
    Shape out = in, begin(in.size(), 0);
    out.back() = (in.back() + 1) / 2;
    begin.back() = in.back() - out.back();
    if (Below(2) == 0) return Add(OpKind::kSlice, {x, Ints(begin), Ints(out)}, out);
    return Add(OpKind::kStridedSlice, {x, Ints(begin), Ints(in), Ints(Shape(in.size(), 1))}, out,
               MakeStridedSliceOptions(0));
  }

  bool Gather(TensorId x) {
    const Shape in = ShapeOf(x);
    const auto axis = static_cast<int32_t>(in.size()) - 1 - Below(2);
    if (axis < 1) return false;
    const int32_t size = in[static_cast<size_t>(axis)];
    Shape out = in;
    out[static_cast<size_t>(axis)] = 3;
    return Add(OpKind::kGather, {x, Ints({Below(size), Below(size), Below(size)})}, out, MakeGatherOptions(axis));
  }

  // softmax(x x^T) x over the positions of an image. Nothing reads its result: with random weights it is nearly the
  // same at all positions.
  bool Attention(TensorId x) {
    const Shape in = ShapeOf(x);
    if (!IsImage(x) || in[1] * in[2] > 36) return false;
    const int32_t positions = in[1] * in[2];
    Add(OpKind::kReshape, {x, Ints({1, positions, in[3]})}, {1, positions, in[3]},
        MakeReshapeOptions({1, positions, in[3]}));
    const TensorId rows = pool_.back();
    Add(OpKind::kBatchMatmul, {rows, rows}, {1, positions, positions}, MakeBatchMatmulOptions({.adj_y = true}));
    Add(OpKind::kSoftmax, {pool_.back()}, {1, positions, positions}, MakeSoftmaxOptions(1));
    Add(OpKind::kBatchMatmul, {pool_.back(), rows}, {1, positions, in[3]}, MakeBatchMatmulOptions({}));
    End();
    return true;
  }

  bool PackAndUnpack(TensorId x) {
    const Shape in = ShapeOf(x);
    if (in.size() > 3) return false;
    const TensorId other = Partner(x);
    if (!other.valid()) return false;
    Shape packed = in;
    packed.insert(packed.begin(), 2);
    Add(OpKind::kPack, {x, other}, packed, MakePackOptions(2, 0));
    const TensorId both = pool_.back();
    const TensorId a = builder_.Activation(Name("t"), in), b = builder_.Activation(Name("t"), in);
    builder_.AddOp(OpKind::kUnpack, {both}, {a, b}, MakeUnpackOptions(2, 0));
    pool_.back() = a;
    pool_.push_back(b);
    return true;
  }

  bool ExpandAndSqueeze(TensorId x) {
    const Shape in = ShapeOf(x);
    if (in.size() == 2) return Add(OpKind::kExpandDims, {x, Ints({1})}, {in[0], 1, in[1]});
    if (in.size() == 3 && in[1] == 1) return Add(OpKind::kSqueeze, {x}, {in[0], in[2]}, MakeSqueezeOptions(1));
    return false;
  }

  // Layer normalisation without its last two operators would need RSQRT; this is the part before: x minus its mean.
  bool Normalize(TensorId x) {
    const Shape in = ShapeOf(x);
    if (in.back() < 2) return false;
    if (in.back() <= 16 && Below(2) == 0) {
      // Away from 0, where it jumps.
      Add(OpKind::kAbs, {x}, in);
      Add(OpKind::kAdd, {pool_.back(), builder_.Constant(Name("away"), {1}, std::vector<float>{0.5f})}, in,
          MakeAddOptions());
      Add(OpKind::kL2Normalization, {pool_.back()}, in);
      End();  // a fixed scale, as SOFTMAX
      return true;
    }
    Shape mean = in;
    mean.back() = 1;
    Add(OpKind::kMean, {x, Ints({static_cast<int32_t>(in.size()) - 1})}, mean, MakeReducerOptions(true));
    Add(OpKind::kSub, {x, pool_.back()}, in, MakeSubOptions());
    End();  // the mean of it is nothing but rounding
    return true;
  }

  std::mt19937 random_;
  ModelBuilder builder_;
  std::vector<TensorId> pool_;  // tensors that operators may read
  std::vector<TensorId> ends_;  // outputs that they may not
};

}  // namespace

Model MakeRandomNetwork(uint32_t seed) { return NetworkMaker(seed).Make(); }

}  // namespace lathe
