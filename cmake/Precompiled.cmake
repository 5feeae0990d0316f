# use_precompiled(target)        for a module's code
# use_precompiled_tests(target)  for its unit tests
#
# What most files read of the standard library, fmt, Asio and Boost.JSON, for tests GoogleTest too,
# is parsed once: that is half of what a file takes to compile. Each file names what it uses all the
# same: GROUP=1 scripts/tidy looks at each without it. Unit tests are not optimised, which is the
# other half.
set(standard algorithm array atomic charconv chrono cstddef cstdint cstring deque expected
  filesystem functional future iterator limits map memory mutex optional ranges set span string
  string_view thread tuple unordered_map utility variant vector)
list(TRANSFORM standard REPLACE "(.+)" "<\\1>")
set(libraries <fmt/format.h> <boost/asio/awaitable.hpp> <boost/asio/co_spawn.hpp>
  <boost/asio/io_context.hpp> <boost/asio/steady_timer.hpp> <boost/asio/use_awaitable.hpp>
  <boost/json.hpp>)
# Without its file's time in it ccache knows a precompiled header again.
set(steady "SHELL:-Xclang -fno-pch-timestamp")

file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/precompiled.cpp CONTENT "int main() {}\n")
add_library(muster_precompiled OBJECT ${CMAKE_BINARY_DIR}/precompiled.cpp)
target_link_libraries(muster_precompiled PRIVATE muster_hardened muster_asio Boost::json fmt::fmt)
target_compile_options(muster_precompiled PRIVATE ${steady})
target_precompile_headers(muster_precompiled PRIVATE ${standard} ${libraries})

function(use_precompiled target)
  target_compile_options(${target} PRIVATE ${steady})
  target_precompile_headers(${target} REUSE_FROM muster_precompiled)
endfunction()

# A program, as its code is made otherwise than a library's (PIE).
if(MUSTER_BUILD_TESTS)
  add_executable(muster_precompiled_tests ${CMAKE_BINARY_DIR}/precompiled.cpp)
  target_link_libraries(muster_precompiled_tests
    PRIVATE muster_options muster_asio Boost::json fmt::fmt GTest::gmock)
  target_compile_options(muster_precompiled_tests PRIVATE ${steady} -O0)
  target_precompile_headers(muster_precompiled_tests
    PRIVATE ${standard} ${libraries} <gmock/gmock.h> <gtest/gtest.h>)
endif()

function(use_precompiled_tests target)
  target_compile_options(${target} PRIVATE ${steady} -O0)
  target_precompile_headers(${target} REUSE_FROM muster_precompiled_tests)
endfunction()
