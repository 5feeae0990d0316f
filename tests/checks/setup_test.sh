#!/usr/bin/env bash
# scripts/setup against stand-ins for dpkg-query and apt-get.
set -euo pipefail
setup=$(cd "$(dirname "$0")/../.." && pwd)/scripts/setup
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export TMPDIR="$work" WORK="$work"
mkdir "$work/bin"
PATH="$work/bin:$PATH"

stand_in() {
    printf '#!/usr/bin/env bash\n%s\n' "$2" >"$work/bin/$1"
    chmod +x "$work/bin/$1"
}
fail() {
    printf 'FAILED: %s\n%s\n' "$1" "$(cat "$work/out")"
    exit 1
}
run() { "$setup" >"$work/out" 2>&1; }

# Every package is installed but those named in the file `absent`.
# shellcheck disable=SC2016
stand_in dpkg-query 'for p in "$@"; do
    case "$p" in -*) ;; *) grep -qxF "$p" "$WORK/absent" || echo "$p installed" ;; esac
done'
stand_in sudo 'exec "$@"'
# shellcheck disable=SC2016
stand_in apt-get 'echo "$*" >>"$WORK/calls"; : >"$WORK/absent"'
: >"$work/absent"

run || fail "nothing missing must succeed"
[ ! -s "$work/out" ] || fail "nothing missing must be silent"
[ ! -e "$work/calls" ] || fail "nothing missing must not call apt-get"

if ! grep -q '^VERSION_ID="12"' /etc/os-release; then
    echo 'libfmt-dev' >"$work/absent"
    if run; then fail "another system must be refused"; fi
    grep -q 'Debian 12' "$work/out" || fail "the refusal must name Debian 12"
    echo "setup: all cases for another system hold"
    exit 0
fi

printf 'libfmt-dev\nwrk\n' >"$work/absent"
run || fail "installing must succeed"
grep -q ' update$' "$work/calls" || fail "the lists must be brought up to date first"
tail -n 1 "$work/calls" | grep -qE ' install --no-install-recommends libfmt-dev wrk$' ||
    fail "exactly the missing packages must be installed"
[ -z "$(ls "$work"/muster-setup.* 2>/dev/null)" ] || fail "no log must stay behind"

echo 'libfmt-dev' >"$work/absent"
stand_in apt-get 'echo "E: Failed to fetch: Temporary failure resolving"; exit 100'
if run; then fail "a network failure must be reported"; fi
grep -q 'mirror could not be reached' "$work/out" || fail "the words must name the network"
grep -q 'E: Failed to fetch' "$work/out" || fail "the end of apt's log must be shown"

stand_in apt-get 'exit 0'
if run; then fail "packages still missing must be reported"; fi
grep -q 'still missing: libfmt-dev' "$work/out" || fail "the words must name the package"

echo "setup: all cases hold"
