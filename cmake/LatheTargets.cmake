# The one way to declare a target. Every library gets the alias lathe::NAME, our warnings as errors and the include root.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")

find_program(LATHE_CCACHE ccache)
if(LATHE_CCACHE)
  # Precompiled headers need both; set here, so that every way of building finds the same cache.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros "${LATHE_CCACHE}")
endif()
find_program(LATHE_MOLD mold)
if(LATHE_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
# -pthread everywhere: a precompiled header is refused where the flags differ.
add_compile_options(-fstack-protector-strong -pthread)
add_link_options(-Wl,-z,relro,-z,now)
if(LATHE_SANITIZE)
  add_compile_options(-fsanitize=${LATHE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${LATHE_SANITIZE})
endif()

# Tests are compiled once and run for seconds: optimizing them costs more than it gives.
# (GCC 12 sees array bounds crossed inside std::string there.)
set(LATHE_TEST_FLAGS -O1 -Wno-array-bounds)

# Warnings for our own code only; generated code does not link it.
add_library(lathe_options INTERFACE)
target_compile_options(lathe_options INTERFACE -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion
  -Wnon-virtual-dtor -Wold-style-cast -Werror)
target_include_directories(lathe_options INTERFACE "${CMAKE_SOURCE_DIR}")

# What most sources include is compiled once (measured: 1.1 s of 1.7 s of a small source). A source still includes what it
# uses: -DLATHE_PCH=OFF builds without.
option(LATHE_PCH "Precompile common headers" ON)
set(lathe_common_headers <algorithm> <cmath> <cstdint> <functional> <map> <memory> <optional> <string> <vector>
  <absl/status/statusor.h> <absl/strings/str_format.h> <absl/types/span.h>)
function(lathe_add_precompiled name)
  if(NOT LATHE_PCH)
    return()
  endif()
  file(CONFIGURE OUTPUT "${CMAKE_BINARY_DIR}/gen/${name}.cc" CONTENT "// Carries the precompiled headers.\n")
  add_library(${name} OBJECT "${CMAKE_BINARY_DIR}/gen/${name}.cc")
  target_link_libraries(${name} PRIVATE lathe_options)
  target_compile_options(${name} PRIVATE -fpch-preprocess)  # for ccache
  target_precompile_headers(${name} PRIVATE ${ARGN})
endfunction()
function(lathe_use_precompiled target name)
  if(LATHE_PCH)
    target_compile_options(${target} PRIVATE -fpch-preprocess)
    target_precompile_headers(${target} REUSE_FROM ${name})
  endif()
endfunction()
lathe_add_precompiled(lathe_headers ${lathe_common_headers})

# lathe_add_library(NAME SOURCES a.cc ... [PUBLIC dep ...] [PRIVATE dep ...]): target lathe_NAME, alias lathe::NAME.
function(lathe_add_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(lathe_${name} STATIC ${ARG_SOURCES})
  add_library(lathe::${name} ALIAS lathe_${name})
  target_include_directories(lathe_${name} PUBLIC "${CMAKE_SOURCE_DIR}")
  target_link_libraries(lathe_${name} PUBLIC ${ARG_PUBLIC} PRIVATE lathe_options ${ARG_PRIVATE})
  lathe_use_precompiled(lathe_${name} lathe_headers)
endfunction()

# lathe_add_binary(NAME SOURCES main.cc ... DEPS dep ...): program build/PRESET/bin/NAME.
function(lathe_add_binary name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE lathe_options ${ARG_DEPS})
endfunction()

# lathe_add_test(NAME SOURCES x_test.cc ... DEPS dep ... [LABELS unit] [TIMEOUT 120]): one GoogleTest program per room and
# label. Label `litert` marks programs that load libLiteRt.so: ThreadSanitizer runs leave them out.
function(lathe_add_test name)
  if(LATHE_PCH AND NOT TARGET lathe_test_headers)
    lathe_add_precompiled(lathe_test_headers ${lathe_common_headers} <gmock/gmock.h> <gtest/gtest.h>)
    target_link_libraries(lathe_test_headers PRIVATE GTest::gtest)
    target_compile_options(lathe_test_headers PRIVATE ${LATHE_TEST_FLAGS})
  endif()
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;DEPS;LABELS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE lathe_options ${ARG_DEPS} GTest::gtest GTest::gmock GTest::gtest_main)
  target_compile_options(${name} PRIVATE -fPIC ${LATHE_TEST_FLAGS})
  lathe_use_precompiled(${name} lathe_test_headers)
  add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}")
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT}
    ENVIRONMENT "LATHE_BIN_DIR=${CMAKE_BINARY_DIR}/bin;LATHE_WHEEL_DIR=${LATHE_WHEEL_DIR};TSAN_OPTIONS=ignore_noninstrumented_modules=1 suppressions=${CMAKE_SOURCE_DIR}/tests/tsan.supp")
endfunction()
