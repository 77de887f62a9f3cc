#include "wire/recipe.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/unknown_field_set.h>

#include <algorithm>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "wire/compatibility_report.h"
#include "wire/preprocessing.h"

namespace lathe {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// Fields that RecipeFromProto reads, those of rules without "rules[2]." before them. Messages are listed too: one that
// is set, holds nothing and is not listed (prune: {}) asks for work with its defaults.
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
    "correct",
    "correct.equalization",
    "correct.bias",
    "correct.rounding",
    "correct.residual_constants",
    "rules",
    "selector",
    "selector.kinds",
    "selector.name_regex",
    "selector.subgraph",
    "selector.bytes_min",
    "selector.index",
    "skip",
    "target",
    "effort",
    "preprocessing",
    "preprocessing.scale",
    "preprocessing.mean",
    "preprocessing.resize",
    "preprocessing.resize.height",
    "preprocessing.resize.width",
    "preprocessing.resize.shorter_side",
    "preprocessing.resize.method",
    "preprocessing.crop",
    "preprocessing.crop.height",
    "preprocessing.crop.width",
    "preprocessing.channels",
    "preprocessing.channel_mean",
    "preprocessing.channel_scale",
    "min_sqnr_db",
    "allow_larger",
};

bool IsConverted(std::string_view path) {
  if (path.starts_with("rules[")) path.remove_prefix(std::min(path.find('.'), path.size() - 1) + 1);
  return std::find(std::begin(kConverted), std::end(kConverted), path) != std::end(kConverted);
}

void FindUnsupported(const Message& message, const std::string& prefix, std::vector<std::string>* found);

void FindUnsupportedInField(const Message& message, const FieldDescriptor* field, const std::string& path,
                            std::vector<std::string>* found) {
  const Reflection& reflection = *message.GetReflection();
  if (field->is_repeated()) {
    if (!IsConverted(path)) {
      found->push_back(path);
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
        FindUnsupported(reflection.GetRepeatedMessage(message, field, i), absl::StrCat(path, "[", i, "]."), found);
      }
    }
  } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
    const size_t found_before = found->size();
    FindUnsupported(reflection.GetMessage(message, field), path + ".", found);
    if (!IsConverted(path) && found->size() == found_before) found->push_back(path);
  } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_ENUM) {
    const int number = reflection.GetEnumValue(message, field);
    const auto* value = field->enum_type()->FindValueByNumber(number);
    // Zero is *_UNSPECIFIED, which means nothing when it is said aloud.
    const bool meaningful = value != nullptr && number != 0;
    if (!meaningful || !IsConverted(path)) found->push_back(path);
  } else if (!IsConverted(path)) {
    found->push_back(path);
  }
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
  for (const FieldDescriptor* field : fields) FindUnsupportedInField(message, field, prefix + field->name(), found);
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

std::optional<Correction> CorrectionFromProto(v1::Correct::Mode mode) {
  switch (mode) {
    case v1::Correct::OFF:
      return Correction::kOff;
    case v1::Correct::FAST:
      return Correction::kFast;
    case v1::Correct::BEST:
      return Correction::kBest;
    default:
      return std::nullopt;
  }
}

v1::Correct::Mode CorrectionToProto(Correction correction) {
  switch (correction) {
    case Correction::kOff:
      return v1::Correct::OFF;
    case Correction::kFast:
      return v1::Correct::FAST;
    case Correction::kBest:
      return v1::Correct::BEST;
  }
  return v1::Correct::MODE_UNSPECIFIED;
}

std::optional<Effort> EffortFromProto(v1::Recipe::Effort effort) {
  switch (effort) {
    case v1::Recipe::FAST:
      return Effort::kFast;
    case v1::Recipe::BALANCED:
      return Effort::kBalanced;
    case v1::Recipe::BEST:
      return Effort::kBest;
    default:
      return std::nullopt;
  }
}

v1::Recipe::Effort EffortToProto(Effort effort) {
  switch (effort) {
    case Effort::kFast:
      return v1::Recipe::FAST;
    case Effort::kBalanced:
      return v1::Recipe::BALANCED;
    case Effort::kBest:
      return v1::Recipe::BEST;
  }
  return v1::Recipe::EFFORT_UNSPECIFIED;
}

CorrectSettings CorrectFromProto(const v1::Correct& proto) {
  return {.equalization = CorrectionFromProto(proto.equalization()),
          .bias = CorrectionFromProto(proto.bias()),
          .rounding = CorrectionFromProto(proto.rounding()),
          .residual_constants = CorrectionFromProto(proto.residual_constants())};
}

void CorrectToProto(const CorrectSettings& correct, v1::Recipe* proto) {
  if (correct.equalization) proto->mutable_correct()->set_equalization(CorrectionToProto(*correct.equalization));
  if (correct.bias) proto->mutable_correct()->set_bias(CorrectionToProto(*correct.bias));
  if (correct.rounding) proto->mutable_correct()->set_rounding(CorrectionToProto(*correct.rounding));
  if (correct.residual_constants) {
    proto->mutable_correct()->set_residual_constants(CorrectionToProto(*correct.residual_constants));
  }
}

Selector SelectorFromProto(const v1::Selector& proto) {
  Selector selector;
  selector.kinds.assign(proto.kinds().begin(), proto.kinds().end());
  selector.name_regex = proto.name_regex();
  if (proto.has_subgraph()) selector.subgraph = Clamp(proto.subgraph());
  if (proto.has_index()) selector.index = Clamp(proto.index());
  selector.bytes_min = proto.bytes_min();
  return selector;
}

void SelectorToProto(const Selector& selector, v1::Selector* proto) {
  proto->mutable_kinds()->Assign(selector.kinds.begin(), selector.kinds.end());
  proto->set_name_regex(selector.name_regex);
  if (selector.subgraph) proto->set_subgraph(static_cast<uint32_t>(*selector.subgraph));
  if (selector.index) proto->set_index(static_cast<uint32_t>(*selector.index));
  if (selector.bytes_min > 0) proto->set_bytes_min(selector.bytes_min);
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

void QuantizeToProto(const QuantizeSettings& quantize, v1::Quantize* proto) {
  if (quantize.scheme && *quantize.scheme != Scheme::kNone) proto->set_scheme(SchemeToProto(*quantize.scheme));
  WeightsToProto(quantize.weights, proto);
  ActivationsToProto(quantize.activations, proto);
  v1::Quantize::IoType io_type;
  if (quantize.io_type && v1::Quantize::IoType_Parse(EnumName(*quantize.io_type), &io_type)) {
    proto->set_io_type(io_type);
  }
  if (quantize.allow_float_fallback) proto->set_allow_float_fallback(*quantize.allow_float_fallback);
  if (quantize.require_full_integer) proto->set_require_full_integer(*quantize.require_full_integer);
}

}  // namespace

Recipe RecipeFromProto(const v1::Recipe& proto) {
  Recipe recipe;
  recipe.preset = proto.preset();
  recipe.quantize = QuantizeFromProto(proto.quantize());
  recipe.correct = CorrectFromProto(proto.correct());
  recipe.target = TargetFromProto(proto.target());
  recipe.effort = EffortFromProto(proto.effort());
  for (const v1::Rule& rule : proto.rules()) {
    recipe.rules.push_back({.selector = SelectorFromProto(rule.selector()),
                            .skip = rule.skip(),
                            .quantize = QuantizeFromProto(rule.quantize())});
  }
  if (proto.has_min_sqnr_db()) recipe.min_sqnr_db = proto.min_sqnr_db();
  if (proto.has_allow_larger()) recipe.allow_larger = proto.allow_larger();
  recipe.preprocessing = PreprocessingFromProto(proto.preprocessing());
  FindUnsupported(proto, "", &recipe.unsupported_fields);
  return recipe;
}

v1::Recipe RecipeToProto(const Recipe& recipe) {
  v1::Recipe proto;
  proto.set_preset(recipe.preset);
  v1::Quantize quantize;
  QuantizeToProto(recipe.quantize, &quantize);
  if (quantize.ByteSizeLong() > 0) *proto.mutable_quantize() = std::move(quantize);
  CorrectToProto(recipe.correct, &proto);
  if (recipe.target) proto.set_target(TargetToProto(*recipe.target));
  if (recipe.effort) proto.set_effort(EffortToProto(*recipe.effort));
  for (const Rule& rule : recipe.rules) {
    v1::Rule& added = *proto.add_rules();
    SelectorToProto(rule.selector, added.mutable_selector());
    if (rule.skip) {
      added.set_skip(true);
    } else {
      QuantizeToProto(rule.quantize, added.mutable_quantize());
    }
  }
  if (recipe.min_sqnr_db) proto.set_min_sqnr_db(*recipe.min_sqnr_db);
  if (recipe.allow_larger) proto.set_allow_larger(*recipe.allow_larger);
  v1::Preprocessing preprocessing = PreprocessingToProto(recipe.preprocessing);
  if (preprocessing.ByteSizeLong() > 0) *proto.mutable_preprocessing() = std::move(preprocessing);
  return proto;
}

}  // namespace lathe
