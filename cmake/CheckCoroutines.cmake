# g++ 12 destroys temporaries twice in ordinary co_await expressions (docs/adr/0001). A compiler
# that does so must not build this project: the test below prints live=0 on a correct one.
if(NOT DEFINED MUSTER_COROUTINES_OK)
  try_run(COROUTINE_EXIT COROUTINE_COMPILED
    ${CMAKE_BINARY_DIR}/coroutine_check ${CMAKE_CURRENT_SOURCE_DIR}/cmake/coroutine_check.cpp
    CXX_STANDARD 20
    RUN_OUTPUT_VARIABLE COROUTINE_OUTPUT)
  if(NOT COROUTINE_COMPILED OR NOT COROUTINE_EXIT EQUAL 0)
    message(FATAL_ERROR
      "This compiler miscompiles C++20 coroutines (${COROUTINE_OUTPUT}). Use clang++-19: "
      "'cmake --preset release' selects it; 'scripts/setup' installs it.")
  endif()
  set(MUSTER_COROUTINES_OK TRUE CACHE INTERNAL "")
endif()
