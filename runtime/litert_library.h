#ifndef LATHE_RUNTIME_LITERT_LIBRARY_H_
#define LATHE_RUNTIME_LITERT_LIBRARY_H_

// libLiteRt.so behind one table of functions. The wheel that carries the library has no headers, so the declarations
// are ours, against version 2.3.0 (third_party/wheels.lock). Nothing outside runtime/ includes this file.

#include <cstddef>
#include <cstdint>
#include <string>

#include "common/status.h"

namespace lathe {

namespace litert {

using Environment = struct OpaqueEnvironment*;
using LoadedModel = struct OpaqueModel*;
using Options = struct OpaqueOptions*;
using PluginOptions = struct OpaquePluginOptions*;
using CompiledModel = struct OpaqueCompiledModel*;
using Requirements = struct OpaqueRequirements*;
using TensorBuffer = struct OpaqueTensorBuffer*;
using Signature = struct OpaqueSignature*;
using RuntimeTensor = struct OpaqueRuntimeTensor*;
using Profiler = struct OpaqueProfiler*;

enum class ElementType : int {
  kNone = 0,
  kFloat32 = 1,
  kInt32 = 2,
  kUint8 = 3,
  kInt64 = 4,
  kBool = 6,
  kInt16 = 7,
  kInt8 = 9,
  kFloat16 = 10,
  kFloat64 = 11,
  kUint64 = 13,
  kUint32 = 16,
  kUint16 = 17,
};

struct Layout {
  uint32_t rank : 7;
  uint32_t has_strides : 1;
  int32_t dimensions[8];
  uint32_t strides[8];
};

struct RankedTensorType {
  ElementType element_type;
  Layout layout;
};
static_assert(sizeof(Layout) == 68 && sizeof(RankedTensorType) == 72, "as libLiteRt.so has them");

struct ProfilerMemory {
  size_t total, in_use, footprint;
};

struct ProfilerEvent {
  const char* tag;
  int type;
  uint64_t start_us, elapsed_us;
  ProfilerMemory begin, end;
  uint64_t metadata1, metadata2;  // of operators: index, subgraph
  int source;
};
static_assert(sizeof(ProfilerEvent) == 104, "as libLiteRt.so has it");

struct EnvironmentOption {
  int tag;
  struct {
    int type;
    union {
      int64_t integer;
      double real;
      const char* text;
      const void* pointer;
    } value;
  } any;
};
static_assert(sizeof(EnvironmentOption) == 24, "as libLiteRt.so has it");

constexpr int kOk = 0;
constexpr int kHardwareCpu = 1;
constexpr int kLockRead = 0, kLockWrite = 1;
// Types of profiler events: an operator that a built-in kernel ran, and a kernel inside a delegate.
constexpr int kEventOperator = 2, kEventInDelegate = 8;

// What we use of the library, under its names without the prefix LiteRt.
struct Api {
  int (*CreateEnvironment)(int count, const EnvironmentOption* options, Environment* out);
  void (*DestroyEnvironment)(Environment);
  int (*CreateModelFromBuffer)(Environment, const void* bytes, size_t size, LoadedModel* out);
  void (*DestroyModel)(LoadedModel);
  int (*CreateOptions)(Options* out);
  void (*DestroyOptions)(Options);
  int (*SetOptionsHardwareAccelerators)(Options, int set);
  int (*CreateOpaqueOptions)(const char* id, void* payload, void (*release)(void*), PluginOptions* out);
  int (*AddOpaqueOptions)(Options, PluginOptions);  // takes it over
  int (*CreateCompiledModel)(Environment, LoadedModel, Options, CompiledModel* out);
  void (*DestroyCompiledModel)(CompiledModel);
  int (*CompiledModelResizeInputTensorNonStrict)(CompiledModel, size_t signature, size_t index, const int* dims,
                                                 size_t rank);
  int (*CompiledModelGetErrorMessages)(CompiledModel, char** text);
  int (*GetCompiledModelInputBufferRequirements)(CompiledModel, size_t signature, size_t index, Requirements* out);
  int (*GetCompiledModelOutputBufferRequirements)(CompiledModel, size_t signature, size_t index, Requirements* out);
  int (*GetCompiledModelOutputTensorLayouts)(CompiledModel, size_t signature, size_t count, Layout* out, bool update);
  int (*CreateManagedTensorBufferFromRequirements)(Environment, const RankedTensorType*, Requirements,
                                                   TensorBuffer* out);
  void (*DestroyTensorBuffer)(TensorBuffer);
  int (*LockTensorBuffer)(TensorBuffer, void** data, int mode);
  int (*UnlockTensorBuffer)(TensorBuffer);
  int (*RunCompiledModel)(CompiledModel, size_t signature, size_t inputs, TensorBuffer*, size_t outputs, TensorBuffer*);
  int (*GetModelSignature)(LoadedModel, size_t index, Signature* out);
  int (*GetNumSignatureInputs)(Signature, size_t* out);
  int (*GetSignatureInputTensorByIndex)(Signature, size_t index, RuntimeTensor* out);
  int (*GetNumSignatureOutputs)(Signature, size_t* out);
  int (*GetSignatureOutputTensorByIndex)(Signature, size_t index, RuntimeTensor* out);
  int (*GetTensorIndex)(RuntimeTensor, uint32_t* out);
  int (*CompiledModelGetProfiler)(CompiledModel, Profiler* out);
  int (*StartProfiler)(Profiler);
  int (*StopProfiler)(Profiler);
  int (*ResetProfiler)(Profiler);
  int (*GetNumProfilerEvents)(Profiler, int* out);
  int (*GetProfilerEvents)(Profiler, int count, ProfilerEvent* out);

  Environment environment;  // of the process: never destroyed, logging silenced
};

// "3 (runtime failure)".
std::string StatusName(int status);

}  // namespace litert

// The library, loaded at the first call and kept for the life of the process. Thread-safe. Looked for in the file that
// the environment variable LATHE_LITERT_LIB names; else beside the program; else where tools/fetch unpacked it
// when this was built. FAILED_PRECONDITION (RUNTIME_MISSING): no library or one without a function that we need; the
// message says how to get it.
absl::StatusOr<const litert::Api*> LoadLiteRt();

// The version that this build is made for, e.g. "2.3.0" (from third_party/wheels.lock).
std::string RuntimeVersion();

}  // namespace lathe

#endif  // LATHE_RUNTIME_LITERT_LIBRARY_H_
