# Compiler and linker flags shared by every target.

add_library(anywire_flags INTERFACE)
target_compile_options(anywire_flags INTERFACE
  -Wall -Wextra -Werror -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-align
  -Wno-missing-field-initializers -fno-omit-frame-pointer -fvisibility=hidden)
target_include_directories(anywire_flags INTERFACE ${CMAKE_SOURCE_DIR}/src)

if(ANYWIRE_SANITIZE)
  add_compile_options(-fsanitize=${ANYWIRE_SANITIZE} -fno-sanitize-recover=all -g1 -O1)
  add_link_options(-fsanitize=${ANYWIRE_SANITIZE})
endif()

if(CMAKE_BUILD_TYPE STREQUAL "Release")
  # Hardening costs little where the kernel is nine tenths of the work; see docs/benchmarks.md.
  add_compile_options(-O3 -g1 -fstack-protector-strong -fcf-protection -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
  add_link_options(-pie -Wl,-z,relro,-z,now)
  if(ANYWIRE_LTO)
    set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)
  endif()
endif()

if(ANYWIRE_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
endif()
