# Compiler options that every target of the project shares.
add_library(hawser_options INTERFACE)
target_include_directories(hawser_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(hawser_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor
  -Wold-style-cast -Woverloaded-virtual -Werror=unused-result -Werror=switch)
target_compile_definitions(hawser_options INTERFACE _FILE_OFFSET_BITS=64 SPDLOG_FMT_EXTERNAL)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 warns of overlaps that cannot be for "literal" + std::string (its bug 105651).
  target_compile_options(hawser_options INTERFACE -Wno-restrict)
  # And with sanitizers it takes an empty std::optional for an uninitialized one.
  if(HAWSER_SANITIZE)
    target_compile_options(hawser_options INTERFACE -Wno-maybe-uninitialized)
  endif()
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(hawser_options INTERFACE -Wthread-safety -Werror=thread-safety)
endif()
if(HAWSER_SANITIZE)
  # -O1 and lines only: more takes g++ twice as long here, and tells no more.
  target_compile_options(hawser_options INTERFACE -fsanitize=${HAWSER_SANITIZE} -fno-omit-frame-pointer -O1 -g1)
  target_link_options(hawser_options INTERFACE -fsanitize=${HAWSER_SANITIZE})
endif()

if(HAWSER_FUZZ)
  set(fuzz_options -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_compile_options(hawser_options INTERFACE ${fuzz_options} -O1 -g)
  target_link_options(hawser_options INTERFACE ${fuzz_options})
endif()

# hawser_library(NAME SOURCES ... LINK ... PRIVATE_LINK ...): a folder of the project as a static library. What stands
# under LINK is seen in its headers; what stands under PRIVATE_LINK is nobody else's business.
function(hawser_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK;PRIVATE_LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC hawser_options ${ARG_LINK} PRIVATE ${ARG_PRIVATE_LINK})
endfunction()
