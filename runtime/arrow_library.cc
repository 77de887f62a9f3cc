#include "runtime/arrow_library.h"

#include <dlfcn.h>
#include <unistd.h>

#include <climits>

#include "runtime/arrow/arrow_plugin.h"

namespace lathe {

namespace {

std::string FolderOfProgram() {
  char path[PATH_MAX];
  const ssize_t size = readlink("/proc/self/exe", path, sizeof(path));
  if (size <= 0) return "";
  const std::string text(path, static_cast<size_t>(size));
  return text.substr(0, text.rfind('/'));
}

absl::StatusOr<OpenArrowDataFile*> LoadLibrary() {
  std::string tried;
  for (const std::string& place : {FolderOfProgram() + "/liblathe_arrow.so", std::string(LATHE_ARROW_DEFAULT_LIB)}) {
    if (void* library = dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL); library != nullptr) {
      if (void* function = dlsym(library, kOpenArrowDataFileName); function != nullptr) {
        return reinterpret_cast<OpenArrowDataFile*>(function);
      }
    }
    const char* error = dlerror();
    tried += absl::StrFormat("%s%s", tried.empty() ? "" : "; ", error == nullptr ? place.c_str() : error);
  }
  return MakeError(
      absl::StatusCode::kFailedPrecondition, "ARROW_MISSING",
      absl::StrFormat("Parquet and Arrow files need liblathe_arrow.so, which cannot be loaded (%s); put it "
                      "beside the program, or save the data as .npz",
                      tried));
}

}  // namespace

absl::StatusOr<std::unique_ptr<DataFile>> OpenWithArrow(const std::string& path, uint64_t total_bytes_max) {
  static const absl::StatusOr<OpenArrowDataFile*> open = LoadLibrary();
  if (!open.ok()) return open.status();
  std::unique_ptr<DataFile> file;
  LATHE_RETURN_IF_ERROR((*open)(path.c_str(), total_bytes_max, &file));
  return file;
}

}  // namespace lathe
