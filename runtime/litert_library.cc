#include "runtime/litert_library.h"

#include <dlfcn.h>
#include <unistd.h>

#include <climits>
#include <cstdlib>
#include <string>
#include <vector>

namespace lathe {

namespace litert {

std::string StatusName(int status) {
  switch (status) {
    case 0:
      return "0 (ok)";
    case 1:
      return "1 (invalid argument)";
    case 2:
      return "2 (out of memory)";
    case 3:
      return "3 (runtime failure)";
    case 4:
      return "4 (missing input)";
    case 5:
      return "5 (unsupported)";
    case 6:
      return "6 (not found)";
    case 7:
      return "7 (timeout)";
    case 8:
      return "8 (wrong version)";
    case 10:
      return "10 (already exists)";
    case 100:
      return "100 (cancelled)";
    case 500:
      return "500 (file)";
    case 501:
      return "501 (invalid flatbuffer)";
    case 502:
      return "502 (dynamic loading)";
    default:
      return std::to_string(status);
  }
}

}  // namespace litert

namespace {

constexpr const char* kHowToInstall =
    "run tools/fetch, which unpacks it from the pinned wheel, or set LATHE_LITERT_LIB to a libLiteRt.so of version ";

// Option 25 is the least severity that is logged, 4 is silent: 11 lines an environment otherwise.
constexpr int kOptionLogSeverity = 25, kOptionTypeInteger = 2, kSeveritySilent = 4;

absl::Status Missing(const std::string& what) {
  return MakeError(absl::StatusCode::kFailedPrecondition, "RUNTIME_MISSING",
                   absl::StrFormat("%s; %s%s", what, kHowToInstall, RuntimeVersion()));
}

std::string FolderOfProgram() {
  char path[PATH_MAX];
  const ssize_t size = readlink("/proc/self/exe", path, sizeof(path));
  if (size <= 0) return "";
  const std::string text(path, static_cast<size_t>(size));
  return text.substr(0, text.rfind('/'));
}

std::vector<std::string> Places() {
  if (const char* file = getenv("LATHE_LITERT_LIB"); file != nullptr && *file != '\0') return {file};
  return {FolderOfProgram() + "/libLiteRt.so", LATHE_LITERT_DEFAULT_LIB};
}

absl::StatusOr<void*> OpenLibrary() {
  std::string tried;
  for (const std::string& place : Places()) {
    if (void* library = dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL); library != nullptr) return library;
    const char* error = dlerror();
    tried += absl::StrFormat("%s%s", tried.empty() ? "" : "; ", error == nullptr ? place.c_str() : error);
  }
  return Missing("the LiteRT runtime cannot be loaded (" + tried + ")");
}

template <typename Function>
void Resolve(void* library, const char* name, Function* function, std::string* missing) {
  *function = reinterpret_cast<Function>(dlsym(library, name));
  if (*function == nullptr) *missing += absl::StrFormat("%s%s", missing->empty() ? "" : ", ", name);
}

absl::StatusOr<const litert::Api*> Load() {
  LATHE_ASSIGN_OR_RETURN(void* library, OpenLibrary());
  static litert::Api api;
  std::string missing;
#define LATHE_RESOLVE(name) Resolve(library, "LiteRt" #name, &api.name, &missing)
  LATHE_RESOLVE(CreateEnvironment);
  LATHE_RESOLVE(DestroyEnvironment);
  LATHE_RESOLVE(CreateModelFromBuffer);
  LATHE_RESOLVE(DestroyModel);
  LATHE_RESOLVE(CreateOptions);
  LATHE_RESOLVE(DestroyOptions);
  LATHE_RESOLVE(SetOptionsHardwareAccelerators);
  LATHE_RESOLVE(CreateOpaqueOptions);
  LATHE_RESOLVE(AddOpaqueOptions);
  LATHE_RESOLVE(CreateCompiledModel);
  LATHE_RESOLVE(DestroyCompiledModel);
  LATHE_RESOLVE(CompiledModelResizeInputTensorNonStrict);
  LATHE_RESOLVE(CompiledModelGetErrorMessages);
  LATHE_RESOLVE(GetCompiledModelInputBufferRequirements);
  LATHE_RESOLVE(GetCompiledModelOutputBufferRequirements);
  LATHE_RESOLVE(GetCompiledModelOutputTensorLayouts);
  LATHE_RESOLVE(CreateManagedTensorBufferFromRequirements);
  LATHE_RESOLVE(DestroyTensorBuffer);
  LATHE_RESOLVE(LockTensorBuffer);
  LATHE_RESOLVE(UnlockTensorBuffer);
  LATHE_RESOLVE(RunCompiledModel);
  LATHE_RESOLVE(GetModelSignature);
  LATHE_RESOLVE(GetNumSignatureInputs);
  LATHE_RESOLVE(GetSignatureInputTensorByIndex);
  LATHE_RESOLVE(GetNumSignatureOutputs);
  LATHE_RESOLVE(GetSignatureOutputTensorByIndex);
  LATHE_RESOLVE(GetTensorIndex);
  LATHE_RESOLVE(CompiledModelGetProfiler);
  LATHE_RESOLVE(StartProfiler);
  LATHE_RESOLVE(StopProfiler);
  LATHE_RESOLVE(ResetProfiler);
  LATHE_RESOLVE(GetNumProfilerEvents);
  LATHE_RESOLVE(GetProfilerEvents);
#undef LATHE_RESOLVE
  if (!missing.empty()) return Missing("the LiteRT runtime found has no function " + missing);

  litert::EnvironmentOption silent{};
  silent.tag = kOptionLogSeverity;
  silent.any.type = kOptionTypeInteger;
  silent.any.value.integer = kSeveritySilent;
  if (const int status = api.CreateEnvironment(1, &silent, &api.environment); status != litert::kOk) {
    return Missing("the LiteRT runtime does not start: status " + litert::StatusName(status));
  }
  return &api;
}

}  // namespace

absl::StatusOr<const litert::Api*> LoadLiteRt() {
  // Leaked on purpose: interpreters may outlive static destructors.
  static const auto* const api = new absl::StatusOr<const litert::Api*>(Load());
  return *api;
}

std::string RuntimeVersion() { return LATHE_LITERT_VERSION; }

}  // namespace lathe
