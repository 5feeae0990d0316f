# One set of warnings for all of our code; every warning is an error.
add_library(muster_options INTERFACE)
target_compile_options(muster_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
  -Woverloaded-virtual -Wold-style-cast -Wcast-align -Wimplicit-fallthrough -Wnull-dereference
  -Wextra-semi -Wunused -Werror
  # A designated initialiser names what differs from the default; the rest is meant to be absent.
  -Wno-missing-designated-field-initializers)
# What users run, hardened at no measurable cost; _FORTIFY_SOURCE needs optimisation and fights ASan.
add_library(muster_hardened INTERFACE)
target_link_libraries(muster_hardened INTERFACE muster_options)
target_compile_options(muster_hardened INTERFACE
  -fstack-protector-strong -fcf-protection $<$<CONFIG:Release>:-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3>)
target_link_options(muster_options INTERFACE
  -fuse-ld=lld-19 -Wl,-z,relro,-z,now -Wl,--as-needed)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
