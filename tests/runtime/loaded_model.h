#ifndef LATHE_TESTS_RUNTIME_LOADED_MODEL_H_
#define LATHE_TESTS_RUNTIME_LOADED_MODEL_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "common/file.h"
#include "optimizer/model/model_reader.h"
#include "optimizer/model/model_writer.h"

namespace lathe {

// A model together with its file's bytes.
struct LoadedModel {
  Model model;
  std::shared_ptr<const MappedFile> file;
  std::string written;

  absl::Span<const uint8_t> bytes() const {
    if (file != nullptr) return file->bytes();
    return {reinterpret_cast<const uint8_t*>(written.data()), written.size()};
  }
};

// Writes a model that a test built.
inline LoadedModel Loaded(Model model) {
  absl::StatusOr<std::string> written = SerializeModel(model);
  EXPECT_TRUE(written.ok()) << written.status();
  return {std::move(model), nullptr, *std::move(written)};
}

inline LoadedModel LoadFile(const std::string& path) {
  auto file = MappedFile::Open(path);
  EXPECT_TRUE(file.ok()) << file.status();
  auto model = ReadModel(*file);
  EXPECT_TRUE(model.ok()) << model.status();
  return {*std::move(model), *std::move(file), ""};
}

}  // namespace lathe

#endif  // LATHE_TESTS_RUNTIME_LOADED_MODEL_H_
