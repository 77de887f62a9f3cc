// Files of settings: YAML or JSON text -> JSON -> v1::Recipe, v1::Preprocessing. Declared in recipe.h, preprocessing.h.

#include <google/protobuf/util/json_util.h>
#include <yaml-cpp/yaml.h>

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "common/file.h"
#include "wire/preprocessing.h"
#include "wire/recipe.h"

namespace lathe {
namespace {

using Json = nlohmann::json;

constexpr uint64_t kRecipeBytesMax = 1 << 20;
constexpr int kDepthMax = 32;
// What aliases may expand to: a recipe has some ten settings and perhaps hundreds of rules.
constexpr int kNodesMax = 100'000;

absl::Status Invalid(std::string_view what) {
  return MakeError(absl::StatusCode::kInvalidArgument, "RECIPE_INVALID", what);
}

std::string Place(const YAML::Node& node) {
  const YAML::Mark mark = node.Mark();
  return mark.is_null() ? "" : absl::StrFormat("line %d: ", mark.line + 1);
}

// Plain scalars of YAML's core schema; quoted ones are texts.
Json ScalarToJson(const YAML::Node& node) {
  const std::string& text = node.Scalar();
  if (node.Tag() == "!") return text;
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  int64_t integer = 0;
  if (auto [rest, error] = std::from_chars(begin, end, integer); error == std::errc() && rest == end) return integer;
  uint64_t positive = 0;
  if (auto [rest, error] = std::from_chars(begin, end, positive); error == std::errc() && rest == end) return positive;
  double number = 0;
  auto [rest, error] = std::from_chars(begin, end, number);
  if (error == std::errc() && rest == end && std::isfinite(number)) return number;
  return text;
}

// Walks a document; bounded in depth and in the number of nodes, because aliases make a small text large.
class YamlToJson {
 public:
  absl::StatusOr<Json> Convert(const YAML::Node& node, int depth) {
    if (depth > kDepthMax) return Invalid(absl::StrFormat("%snested deeper than %d", Place(node), kDepthMax));
    if (++nodes_ > kNodesMax) return Invalid(absl::StrFormat("more than %d values (aliases included)", kNodesMax));
    switch (node.Type()) {
      case YAML::NodeType::Map:
        return ConvertMap(node, depth);
      case YAML::NodeType::Sequence:
        return ConvertSequence(node, depth);
      case YAML::NodeType::Scalar:
        return ScalarToJson(node);
      case YAML::NodeType::Null:
      case YAML::NodeType::Undefined:
        break;
    }
    return Json(nullptr);
  }

 private:
  absl::StatusOr<Json> ConvertMap(const YAML::Node& node, int depth) {
    Json json = Json::object();
    for (const auto& entry : node) {
      if (!entry.first.IsScalar()) return Invalid(Place(entry.first) + "a key is not a name");
      const std::string& key = entry.first.Scalar();
      if (json.contains(key)) return Invalid(absl::StrFormat("%s'%s' is set twice", Place(entry.first), key));
      LATHE_ASSIGN_OR_RETURN(json[key], Convert(entry.second, depth + 1));
    }
    return json;
  }

  absl::StatusOr<Json> ConvertSequence(const YAML::Node& node, int depth) {
    Json json = Json::array();
    for (const auto& element : node) {
      LATHE_ASSIGN_OR_RETURN(Json value, Convert(element, depth + 1));
      json.push_back(std::move(value));
    }
    return json;
  }

  int nodes_ = 0;
};

absl::StatusOr<Json> JsonFromYaml(const std::string& text) {
  // yaml-cpp throws for every syntax error.
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(text);
    if (documents.size() != 1) return Invalid(absl::StrFormat("%d YAML documents, expected one", documents.size()));
    return YamlToJson().Convert(documents[0], 0);
  } catch (const YAML::Exception& error) {
    return Invalid(absl::StrFormat("neither YAML nor JSON: line %d, column %d: %s", error.mark.line + 1,
                                   error.mark.column + 1, error.msg));
  }
}

// Duplicate keys are errors in JSON as in YAML: the parser below would keep the last one silently.
absl::StatusOr<Json> JsonFromJson(const std::string& text) {
  std::vector<std::vector<std::string>> keys;
  std::optional<std::string> problem;
  const auto check = [&](int depth, Json::parse_event_t event, Json& value) {
    if (depth > kDepthMax) problem = absl::StrFormat("nested deeper than %d", kDepthMax);
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end && !keys.empty()) keys.pop_back();
    if (event == Json::parse_event_t::key && !keys.empty()) {
      const auto key = value.get<std::string>();
      auto& seen = keys.back();
      if (std::find(seen.begin(), seen.end(), key) != seen.end()) problem = absl::StrFormat("'%s' is set twice", key);
      seen.push_back(key);
    }
    return !problem.has_value();
  };
  // nlohmann throws for syntax errors.
  try {
    Json json = Json::parse(text, check);
    if (problem) return Invalid(*problem);
    return json;
  } catch (const Json::exception& error) {
    return Invalid(absl::StrFormat("not JSON: %s", error.what()));
  }
}

// Protobuf's JSON parser takes the texts "NaN" and "Infinity" for numbers; no setting means something then.
bool HasNonFinite(const google::protobuf::Message& message) {
  using google::protobuf::FieldDescriptor;
  const auto& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->is_repeated()) {
      if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
      for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
        if (HasNonFinite(reflection.GetRepeatedMessage(message, field, i))) return true;
      }
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE) {
      if (!std::isfinite(reflection.GetDouble(message, field))) return true;
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      if (HasNonFinite(reflection.GetMessage(message, field))) return true;
    }
  }
  return false;
}

absl::Status FillFromText(const std::string& text, google::protobuf::Message* message) {
  if (text.size() > kRecipeBytesMax) {
    return Invalid(absl::StrFormat("%d bytes, a recipe has at most %d", text.size(), kRecipeBytesMax));
  }
  // JSON goes to its own parser, because yaml-cpp does not take every JSON text (tabs); what is almost JSON is YAML.
  const bool is_json = Json::accept(text);
  LATHE_ASSIGN_OR_RETURN(const Json json, is_json ? JsonFromJson(text) : JsonFromYaml(text));
  if (!json.is_object()) return Invalid("not a mapping of settings such as 'preset: int8'");
  google::protobuf::util::JsonParseOptions options;
  options.case_insensitive_enum_parsing = true;
  const auto status = google::protobuf::util::JsonStringToMessage(
      json.dump(-1, ' ', false, Json::error_handler_t::replace), message, options);
  if (!status.ok()) return Invalid(std::string(status.message().data(), status.message().size()));
  if (HasNonFinite(*message)) return Invalid("a number is NaN or infinite");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::Recipe> ParseRecipe(const std::string& text, const std::string& origin) {
  v1::Recipe recipe;
  LATHE_RETURN_IF_ERROR(Annotate(FillFromText(text, &recipe), absl::StrFormat("recipe '%s'", origin)));
  return recipe;
}

absl::StatusOr<v1::Recipe> ReadRecipeFile(const std::string& path) {
  const auto text = ReadFile(path, kRecipeBytesMax);
  if (!text.ok()) return Invalid(absl::StrFormat("recipe: %s", text.status().message()));
  return ParseRecipe(*text, path);
}

absl::StatusOr<v1::Preprocessing> ReadPreprocessingFile(const std::string& path) {
  const auto text = ReadFile(path, kRecipeBytesMax);
  if (!text.ok()) return Invalid(absl::StrFormat("preprocessing: %s", text.status().message()));
  v1::Preprocessing preprocessing;
  LATHE_RETURN_IF_ERROR(Annotate(FillFromText(*text, &preprocessing), absl::StrFormat("preprocessing '%s'", path)));
  return preprocessing;
}

}  // namespace lathe
