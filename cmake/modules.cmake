# anywire_module(NAME LINK libs...): the folder src/NAME as a static library, and, when tests are
# built, its *_test.cc files as the executable NAME_test. Sources are found by pattern, so adding a
# file needs no edit here. A folder without sources becomes an interface library.

# llhttp is the second opinion that tests and fuzzers hold our HTTP parser against; the server does
# not run it. Debian ships it as C sources (package node-llhttp), which scripts/setup unpacks.
if(ANYWIRE_TESTS OR ANYWIRE_FUZZ)
  set(LLHTTP_ROOT ${CMAKE_SOURCE_DIR}/build/debian/usr/share)
  set(LLHTTP_SOURCE_DIR ${LLHTTP_ROOT}/llhttp)
  if(NOT EXISTS ${LLHTTP_SOURCE_DIR}/llhttp.c)
    message(FATAL_ERROR "the sources of llhttp are missing; run scripts/setup test")
  endif()
  add_library(llhttp STATIC ${LLHTTP_SOURCE_DIR}/api.c ${LLHTTP_SOURCE_DIR}/http.c
    ${LLHTTP_SOURCE_DIR}/llhttp.c)
  target_include_directories(llhttp SYSTEM PUBLIC ${LLHTTP_ROOT}/include/llhttp)
  target_compile_options(llhttp PRIVATE -w)
endif()

if(ANYWIRE_TESTS AND NOT ANYWIRE_FUZZ)
  add_library(replay_main OBJECT ${CMAKE_SOURCE_DIR}/fuzz/replay_main.cc)
  target_link_libraries(replay_main PRIVATE anywire_flags)
endif()

# Optimising a test takes longer than running it. What it tests is optimised as usual.
function(anywire_test_flags target)
  if(ANYWIRE_SANITIZE)
    target_compile_options(${target} PRIVATE -O0)
  endif()
endfunction()

find_library(URING_LIBRARY uring)
if(NOT URING_LIBRARY)
  message(FATAL_ERROR "liburing not found; run scripts/setup (Debian package liburing-dev)")
endif()

function(anywire_module name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cc)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$|/main\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  if(sources)
    add_library(${name} STATIC ${sources})
    target_link_libraries(${name} PUBLIC anywire_flags ${ARG_LINK})
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE anywire_flags ${ARG_LINK})
  endif()
  if(ANYWIRE_TESTS AND tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE ${name} llhttp GTest::gtest GTest::gmock GTest::gtest_main)
    anywire_test_flags(${name}_test)
    # For tests that read files of the repository: test data, examples, generated documentation.
    target_compile_definitions(${name}_test PRIVATE ANYWIRE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    add_test(NAME ${name} COMMAND ${name}_test)
  endif()
  file(GLOB fuzzers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/fuzz/${name}/fuzz_*.cc)
  foreach(fuzzer ${fuzzers})
    get_filename_component(target ${fuzzer} NAME_WE)
    string(REPLACE "fuzz_" "" subject ${target})
    if(ANYWIRE_FUZZ)
      add_executable(${target} ${fuzzer})
      target_link_libraries(${target} PRIVATE ${name} llhttp)
      target_link_options(${target} PRIVATE -fsanitize=fuzzer)
    elseif(ANYWIRE_TESTS)
      # The same target over its committed corpus, as a test.
      add_executable(replay_${subject} ${fuzzer})
      target_link_libraries(replay_${subject} PRIVATE ${name} llhttp replay_main)
      add_test(NAME replay_${subject}
        COMMAND replay_${subject} ${CMAKE_SOURCE_DIR}/fuzz/${name}/corpus/${subject})
    endif()
  endforeach()
endfunction()

function(anywire_binary name main)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  if(EXISTS ${CMAKE_SOURCE_DIR}/${main})
    add_executable(${name} ${main})
    target_link_libraries(${name} PRIVATE ${ARG_LINK})
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
  endif()
endfunction()

# anywire_text(TARGET FILE HEADER header NAME constant): a text file of the repository as a
# std::string_view in the library, so that the binary needs no files. The header declares it.
function(anywire_text target file)
  cmake_parse_arguments(ARG "" "HEADER;NAME" "" ${ARGN})
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${file})
  file(READ ${CMAKE_SOURCE_DIR}/${file} text)
  get_filename_component(stem ${file} NAME_WE)
  set(generated ${CMAKE_BINARY_DIR}/generated/${target}_${stem}.cc)
  file(CONFIGURE OUTPUT ${generated} @ONLY CONTENT "#include \"@ARG_HEADER@\"

const std::string_view @ARG_NAME@ = R\"text(@text@)text\";
")
  target_sources(${target} PRIVATE ${generated})
endfunction()
