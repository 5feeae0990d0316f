# Every library comes from Debian 12; scripts/setup lists the packages.
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json)
find_package(OpenSSL 3.0 REQUIRED)
find_package(SQLite3 3.40 REQUIRED)
find_package(ICU 72 REQUIRED COMPONENTS uc)
find_package(fmt 9 REQUIRED)
find_package(spdlog 1.10 REQUIRED)
find_package(CLI11 2 REQUIRED)
find_package(prometheus-cpp CONFIG REQUIRED COMPONENTS core)
find_package(PkgConfig REQUIRED)
pkg_check_modules(PQ REQUIRED IMPORTED_TARGET libpq)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(TOMLPP REQUIRED IMPORTED_TARGET tomlplusplus)

# What runs as a server takes its memory from mimalloc (docs/adr/0018). Sanitizers bring an allocator
# of their own.
add_library(muster_allocator INTERFACE)
if(NOT MUSTER_SANITIZE)
  find_package(mimalloc 2.0 REQUIRED)
  target_link_libraries(muster_allocator INTERFACE mimalloc)
endif()

# Asio and Beast are compiled once. Every user must see the same definitions: base passes them on.
add_library(muster_asio STATIC ${PROJECT_SOURCE_DIR}/src/asio/asio.cpp)
target_link_libraries(muster_asio PUBLIC Boost::headers Threads::Threads OpenSSL::SSL)
target_compile_definitions(muster_asio PUBLIC
  BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION)

if(MUSTER_BUILD_TESTS)
  find_package(GTest REQUIRED)
endif()
