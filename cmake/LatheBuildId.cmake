# Writes OUTPUT (a C++ fragment) with the version and the build id: version, commit, digest of the sources that end up in
# our programs. Rewrites it only when it changed, so that nothing is compiled again for nothing.
if(FIXED)
  set(build_id "${FIXED}")
else()
  set(patterns)
  foreach(room proto common storage optimizer runtime wire executor worker server client)
    foreach(ending h cc proto fbs html css js)
      list(APPEND patterns "${SOURCE_DIR}/${room}/*.${ending}")
    endforeach()
  endforeach()
  file(GLOB_RECURSE files LIST_DIRECTORIES false RELATIVE "${SOURCE_DIR}" ${patterns})
  list(SORT files)
  set(digests "${SANITIZE}")
  foreach(path IN LISTS files)
    # A file may vanish between listing and hashing while somebody edits.
    if(EXISTS "${SOURCE_DIR}/${path}")
      file(SHA256 "${SOURCE_DIR}/${path}" digest)
      string(APPEND digests "${path} ${digest}\n")
    endif()
  endforeach()
  string(SHA256 digest "${digests}")
  string(SUBSTRING "${digest}" 0 12 digest)
  execute_process(COMMAND git -C "${SOURCE_DIR}" rev-parse --short=9 HEAD OUTPUT_VARIABLE commit
    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
  if(failed)
    set(build_id "${VERSION}+s${digest}")
  else()
    set(build_id "${VERSION}+g${commit}.s${digest}")
  endif()
endif()
file(CONFIGURE OUTPUT "${OUTPUT}" CONTENT [[
constexpr char kVersion[] = "@VERSION@";
constexpr char kBuildId[] = "@build_id@";
]] @ONLY)
