#!/usr/bin/env bash
# scripts/run-demo with the built binary ($1): what the first `make run` promises, and the second.
set -euo pipefail
demo=$(cd "$(dirname "$0")/../.." && pwd)/scripts/run-demo
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export DEMO_BINARY=$1 MUSTER_LISTEN=127.0.0.1:0 MUSTER_DATA=$work/data

fail() {
    printf 'FAILED: %s\n' "$1"
    cat "$work/out"
    exit 1
}
connectors() { "$DEMO_BINARY" connector list --org demo --json --data "$MUSTER_DATA" | jq -r '.connectors[].id'; }

DEMO_EXIT=1 "$demo" >"$work/out" 2>&1 || fail "the first run must succeed"
grep -q 'SCIM base URL    http://127.0.0.1:' "$work/out" || fail "it must show the SCIM URL"
grep -q '@' "$work/out" || fail "it must show the people who arrived"
[ "$(stat -c %a "$MUSTER_DATA/demo-token")" = 600 ] || fail "the token's file must be private"
! grep -qF "$(cat "$MUSTER_DATA/demo-token")" "$work/out" || fail "the token itself must not be shown"
first=$(connectors)
token=$(cat "$MUSTER_DATA/demo-token")

# The second run stays until it is told to end.
"$demo" >"$work/out" 2>&1 &
pid=$!
for _ in $(seq 600); do
    grep -q 'Ctrl-C stops it' "$work/out" && break
    kill -0 "$pid" 2>/dev/null || fail "the second run ended by itself"
    sleep 0.1
done
grep -q 'Ctrl-C stops it' "$work/out" || fail "the second run must come up"
url=$(awk '/SCIM base URL/ {print $NF}' "$work/out")
curl --silent --fail --noproxy '*' -H "Authorization: Bearer $token" "$url/Users?count=1" >/dev/null ||
    fail "the token of the first run must still work"
if DEMO_EXIT=1 "$demo" >"$work/out2" 2>&1; then fail "a third one beside it must be refused"; fi
grep -q 'MUSTER_DATA=' "$work/out2" || fail "it must say that the data directory is in use"
! grep -q 'Is something else on' "$work/out2" || fail "the port is not what is in its way"
kill -TERM "$pid"
wait "$pid" && status=0 || status=$?
[ "$status" -eq 143 ] || fail "SIGTERM must end it with 143, not $status"
if curl --silent --noproxy '*' "$url" >/dev/null; then fail "the server must have ended too"; fi
[ -z "$(ls "$MUSTER_DATA" | grep ready)" ] || fail "what it waited for must be gone"
[ "$(connectors)" = "$first" ] || fail "a second run must go on with the same connector"
echo "run-demo: all holds"
