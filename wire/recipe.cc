#include "wire/recipe.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/unknown_field_set.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace lathe {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// Fields that RecipeFromProto reads. Messages are listed too: one that is set, holds nothing and is not listed (prune:
// {}) asks for work with its defaults.
constexpr const char* kConverted[] = {
    "preset",
    "quantize",
    "quantize.scheme",
    "quantize.weights",
    "quantize.weights.bits",
    "quantize.weights.granularity",
    "quantize.weights.block_size",
    "quantize.weights.algorithm",
    "quantize.activations",
    "quantize.activations.bits",
    "quantize.activations.ranges",
    "quantize.io_type",
    "quantize.allow_float_fallback",
    "quantize.require_full_integer",
    "preprocessing",
    "preprocessing.scale",
    "preprocessing.mean",
    "correct",
};

// Settings that ask for what happens anyway.
struct Fulfilled {
  const char* path;
  const char* value;
};
constexpr Fulfilled kFulfilled[] = {
    {"target", "CPU"},       {"effort", "BALANCED"},      {"correct.equalization", "OFF"},
    {"correct.bias", "OFF"}, {"correct.rounding", "OFF"},
};

bool IsConverted(const std::string& path) {
  return std::find(std::begin(kConverted), std::end(kConverted), path) != std::end(kConverted);
}

bool IsFulfilled(const std::string& path, const std::string& value) {
  return std::any_of(std::begin(kFulfilled), std::end(kFulfilled),
                     [&](const Fulfilled& f) { return path == f.path && value == f.value; });
}

// Lists what is set in `message` and has no place in the plain recipe.
void FindUnsupported(const Message& message, const std::string& prefix, std::vector<std::string>* found) {
  const Reflection& reflection = *message.GetReflection();
  const auto& unknown = reflection.GetUnknownFields(message);
  for (int i = 0; i < unknown.field_count(); ++i) {
    found->push_back(absl::StrCat(prefix, "(unknown field ", unknown.field(i).number(), ")"));
  }
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const std::string path = prefix + field->name();
    if (field->is_repeated()) {
      found->push_back(path);
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      const Message& nested = reflection.GetMessage(message, field);
      const size_t found_before = found->size();
      FindUnsupported(nested, path + ".", found);
      if (!IsConverted(path) && found->size() == found_before) found->push_back(path);
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_ENUM) {
      const int number = reflection.GetEnumValue(message, field);
      const auto* value = field->enum_type()->FindValueByNumber(number);
      // Zero is *_UNSPECIFIED, which means nothing when it is said aloud.
      const bool meaningful = value != nullptr && number != 0;
      if (!meaningful || !(IsConverted(path) || IsFulfilled(path, value->name()))) found->push_back(path);
    } else if (!IsConverted(path)) {
      found->push_back(path);
    }
  }
}

int Clamp(uint32_t value) {
  return static_cast<int>(std::min(value, static_cast<uint32_t>(std::numeric_limits<int>::max())));
}

// MIN_MAX is "min-max" in plain recipes.
std::string PlainName(const std::string& enum_name) {
  return absl::StrReplaceAll(absl::AsciiStrToLower(enum_name), {{"_", "-"}});
}

std::string EnumName(const std::string& plain_name) {
  return absl::StrReplaceAll(absl::AsciiStrToUpper(plain_name), {{"-", "_"}});
}

std::optional<Scheme> SchemeFromProto(v1::Quantize::Scheme scheme) {
  switch (scheme) {
    case v1::Quantize::FLOAT16:
      return Scheme::kFloat16;
    case v1::Quantize::DYNAMIC_RANGE:
      return Scheme::kDynamicRange;
    case v1::Quantize::WEIGHT_ONLY:
      return Scheme::kWeightOnly;
    case v1::Quantize::FULL_INTEGER:
      return Scheme::kFullInteger;
    default:
      return std::nullopt;
  }
}

v1::Quantize::Scheme SchemeToProto(Scheme scheme) {
  switch (scheme) {
    case Scheme::kNone:
      break;
    case Scheme::kFloat16:
      return v1::Quantize::FLOAT16;
    case Scheme::kDynamicRange:
      return v1::Quantize::DYNAMIC_RANGE;
    case Scheme::kWeightOnly:
      return v1::Quantize::WEIGHT_ONLY;
    case Scheme::kFullInteger:
      return v1::Quantize::FULL_INTEGER;
  }
  return v1::Quantize::SCHEME_UNSPECIFIED;
}

WeightSettings WeightsFromProto(const v1::Quantize::Weights& proto) {
  WeightSettings weights;
  if (proto.has_bits()) weights.bits = Clamp(proto.bits());
  if (proto.has_granularity() && proto.granularity() != 0) {
    weights.granularity = PlainName(v1::Quantize::Weights::Granularity_Name(proto.granularity()));
  }
  if (proto.has_block_size()) weights.block_size = Clamp(proto.block_size());
  if (proto.has_algorithm() && proto.algorithm() != 0) {
    weights.algorithm = PlainName(v1::Quantize::Weights::Algorithm_Name(proto.algorithm()));
  }
  return weights;
}

QuantizeSettings QuantizeFromProto(const v1::Quantize& proto) {
  QuantizeSettings quantize;
  if (proto.has_scheme()) quantize.scheme = SchemeFromProto(proto.scheme());
  quantize.weights = WeightsFromProto(proto.weights());
  const auto& activations = proto.activations();
  if (activations.has_bits()) quantize.activations.bits = Clamp(activations.bits());
  if (activations.has_ranges() && activations.ranges() != 0) {
    quantize.activations.ranges = PlainName(v1::Quantize::Activations::Ranges_Name(activations.ranges()));
  }
  if (proto.has_io_type() && proto.io_type() != 0) {
    quantize.io_type = PlainName(v1::Quantize::IoType_Name(proto.io_type()));
  }
  if (proto.has_allow_float_fallback()) quantize.allow_float_fallback = proto.allow_float_fallback();
  if (proto.has_require_full_integer()) quantize.require_full_integer = proto.require_full_integer();
  return quantize;
}

void WeightsToProto(const WeightSettings& weights, v1::Quantize* proto) {
  v1::Quantize::Weights::Granularity granularity;
  v1::Quantize::Weights::Algorithm algorithm;
  if (weights.bits) proto->mutable_weights()->set_bits(static_cast<uint32_t>(*weights.bits));
  if (weights.granularity && v1::Quantize::Weights::Granularity_Parse(EnumName(*weights.granularity), &granularity)) {
    proto->mutable_weights()->set_granularity(granularity);
  }
  if (weights.block_size) proto->mutable_weights()->set_block_size(static_cast<uint32_t>(*weights.block_size));
  if (weights.algorithm && v1::Quantize::Weights::Algorithm_Parse(EnumName(*weights.algorithm), &algorithm)) {
    proto->mutable_weights()->set_algorithm(algorithm);
  }
}

void ActivationsToProto(const ActivationSettings& activations, v1::Quantize* proto) {
  v1::Quantize::Activations::Ranges ranges;
  if (activations.bits) proto->mutable_activations()->set_bits(static_cast<uint32_t>(*activations.bits));
  if (activations.ranges && v1::Quantize::Activations::Ranges_Parse(EnumName(*activations.ranges), &ranges)) {
    proto->mutable_activations()->set_ranges(ranges);
  }
}

}  // namespace

Recipe RecipeFromProto(const v1::Recipe& proto) {
  Recipe recipe;
  recipe.preset = proto.preset();
  recipe.quantize = QuantizeFromProto(proto.quantize());
  const v1::Preprocessing& preprocessing = proto.preprocessing();
  if (preprocessing.has_scale()) recipe.data_scale = preprocessing.scale();
  if (preprocessing.has_mean()) recipe.data_mean = preprocessing.mean();
  FindUnsupported(proto, "", &recipe.unsupported_fields);
  return recipe;
}

v1::Recipe RecipeToProto(const Recipe& recipe) {
  v1::Recipe proto;
  proto.set_preset(recipe.preset);
  const QuantizeSettings& quantize = recipe.quantize;
  if (quantize.scheme && *quantize.scheme != Scheme::kNone) {
    proto.mutable_quantize()->set_scheme(SchemeToProto(*quantize.scheme));
  }
  if (quantize.weights.bits || quantize.weights.granularity || quantize.weights.block_size ||
      quantize.weights.algorithm) {
    WeightsToProto(quantize.weights, proto.mutable_quantize());
  }
  if (quantize.activations.bits || quantize.activations.ranges) {
    ActivationsToProto(quantize.activations, proto.mutable_quantize());
  }
  v1::Quantize::IoType io_type;
  if (quantize.io_type && v1::Quantize::IoType_Parse(EnumName(*quantize.io_type), &io_type)) {
    proto.mutable_quantize()->set_io_type(io_type);
  }
  if (quantize.allow_float_fallback) {
    proto.mutable_quantize()->set_allow_float_fallback(*quantize.allow_float_fallback);
  }
  if (quantize.require_full_integer) {
    proto.mutable_quantize()->set_require_full_integer(*quantize.require_full_integer);
  }
  if (recipe.data_scale) proto.mutable_preprocessing()->set_scale(*recipe.data_scale);
  if (recipe.data_mean) proto.mutable_preprocessing()->set_mean(*recipe.data_mean);
  return proto;
}

}  // namespace lathe
