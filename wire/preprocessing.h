#ifndef LATHE_WIRE_PREPROCESSING_H_
#define LATHE_WIRE_PREPROCESSING_H_

#include <string>

#include "common/status.h"
#include "lathe/v1/dataset.pb.h"
#include "optimizer/recipe/preprocessing.h"

namespace lathe {

// Between the message and the plain struct. Enum values that this version does not know become the default.
Preprocessing PreprocessingFromProto(const v1::Preprocessing& proto);
v1::Preprocessing PreprocessingToProto(const Preprocessing& preprocessing);

// A YAML or JSON file of the message's JSON form; errors as ReadRecipeFile. The values are not checked.
absl::StatusOr<v1::Preprocessing> ReadPreprocessingFile(const std::string& path);

}  // namespace lathe

#endif  // LATHE_WIRE_PREPROCESSING_H_
