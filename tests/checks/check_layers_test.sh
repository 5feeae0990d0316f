#!/usr/bin/env bash
# scripts/check-layers must accept a good tree and refuse each breach, at its file and line.
set -euo pipefail
checker=$(cd "$(dirname "$0")/../.." && pwd)/scripts/check-layers
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
failures=0

lay_good_tree() {
    rm -rf "${tree:?}"/*
    mkdir -p "$tree"/src/{base,scim,store/sqlite,app} "$tree"/docs/adr
    cat >"$tree/src/CMakeLists.txt" <<'CMAKE'
# A comment that says muster_module and DEPENDS app changes nothing.
muster_module(base LIBRARIES fmt::fmt)
muster_module(scim DEPENDS base)
muster_module(store DEPENDS scim EXCEPT sqlite TEST_DEPENDS store/sqlite)
muster_module(store/sqlite DEPENDS store LIBRARIES SQLite::SQLite3)
muster_module(app DEPENDS store/sqlite)
add_executable(program app/main.cpp)
CMAKE
    for module in base scim store store/sqlite app; do echo "# $module" >"$tree/src/$module/README.md"; done
    echo '#include "base/text.hpp"' >"$tree/src/app/main.cpp"
    echo '#include "store/sqlite/db.hpp"' >"$tree/src/store/contract_test.cpp"
    printf 'One.\n' >"$tree/docs/adr/0001-one.md"
    printf '[One](0001-one.md)\n' >"$tree/docs/adr/README.md"
}

# expect DESCRIPTION EXPECTED-OUTPUT
expect() {
    local actual status=0 wanted=1
    [ -n "$2" ] || wanted=0
    actual=$("$checker" "$tree") || status=$?
    if [ "$actual" != "$2" ] || [ "$status" -ne "$wanted" ]; then
        printf 'FAILED %s (exit %s)\n  expected: %s\n  actual:   %s\n' "$1" "$status" "$2" "$actual"
        failures=$((failures + 1))
    fi
}

# refuses LINE RULE FILE CODE
refuses() {
    lay_good_tree
    printf '%b' "$4" >"$tree/$3"
    expect "$4" "$3:$1: $2"
}

# accepts FILE CODE
accepts() {
    lay_good_tree
    printf '%b' "$2" >"$tree/$1"
    expect "$2" ""
}

lay_good_tree
expect "a good tree" ""

refuses 2 'scim may not use app (DEPENDS in src/CMakeLists.txt)' \
    src/scim/a.cpp '#include "base/a.hpp"\n#include "app/a.hpp"\n'
refuses 1 'scim may not use store (DEPENDS in src/CMakeLists.txt)' src/scim/a.hpp '#include "store/a.hpp"\n'
refuses 1 'store may not use store/sqlite (DEPENDS in src/CMakeLists.txt)' \
    src/store/a.cpp '#include "store/sqlite/db.hpp"\n'
accepts src/store/testing.hpp '#include "store/sqlite/db.hpp"\n'
accepts src/store/a_test.cpp '#include "store/testing.hpp"\n'
refuses 1 'store/testing.hpp is for tests only' src/store/a.cpp '#include "store/testing.hpp"\n'
refuses 1 '"elsewhere/a.hpp" is in no module of src/CMakeLists.txt' src/base/a.cpp '#include "elsewhere/a.hpp"\n'
refuses 1 'in no module of src/CMakeLists.txt' src/stray.cpp 'int x;\n'
lay_good_tree
mkdir -p "$tree/cmake" "$tree/src/asio"
echo 'add_library(asio STATIC ${PROJECT_SOURCE_DIR}/src/asio/asio.cpp)' >"$tree/cmake/Dependencies.cmake"
echo 'int x;' >"$tree/src/asio/asio.cpp"
expect "a source that cmake/ names" ""

pure='scim is pure: no network, database, TLS or thread headers'
for header in boost/asio/awaitable.hpp boost/beast/http.hpp sqlite3.h openssl/evp.h thread mutex; do
    refuses 1 "$pure" src/scim/a.cpp "#include <$header>\n"
done
accepts src/store/a.cpp '#include <mutex>\n'

refuses 3 'no std::regex: input decides its time and stack' src/base/a.cpp '\n\nstd::regex r;\n'
refuses 1 'banned C function' src/base/a.cpp 'strcpy(a, b);\n'
accepts src/base/a.cpp 'snprintf(a, 3, b);\n'
refuses 1 'no new: use a container or make_unique' src/base/a.cpp 'auto* p = new Thing{};\n'
accepts src/base/a.cpp 'auto s = "a new Thing"; // a new Thing\nint new_thing;\n'
refuses 1 'only base/clock.cpp reads the clock: take a Clock' \
    src/app/a.cpp 'auto t = std::chrono::system_clock::now();\n'
accepts src/base/clock.cpp 'auto t = std::chrono::system_clock::now();\n'
refuses 2 'bind with a length: -1 stops at NUL' \
    src/store/a.cpp 'sqlite3_bind_text(s, 1, text.data(),\n    -1, nullptr);\n'
accepts src/store/a.cpp 'sqlite3_bind_text(s, 1, p, length, nullptr);\nf(a, -1, b);\n'

refuses 601 'over 600 lines: split it by meaning' src/base/a.cpp "$(printf 'int x;\\n%.0s' {1..601})"
accepts src/base/a.cpp "$(printf 'int x;\\n%.0s' {1..600})"
refuses 1 'unfinished work: do it or drop it' src/base/a.cpp '// TO''DO: later\n'
refuses 1 'not listed in docs/adr/README.md' docs/adr/0002-two.md 'Two.\n'

lay_good_tree
rm "$tree/src/scim/README.md"
expect "a module without README" "src/scim:1: module without README.md"

[ "$failures" -eq 0 ] || exit 1
echo "check-layers: all cases hold"
