#!/usr/bin/env bash
# docs/how-to/read-from-your-product.md, each of its commands as it stands there, with the built
# binary ($1): somebody whom Okta has provisioned is found in each of the ways.
set -euo pipefail
page=$(cd "$(dirname "$0")/../.." && pwd)/docs/how-to/read-from-your-product.md
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; wait; rm -rf "$work"' EXIT
cd "$work"
muster() { command "$MUSTER" "$@"; }
MUSTER=$1
export MUSTER_DATA=$work/data NO_PROXY='*'
mkdir -m 700 "$MUSTER_DATA"

fail() {
    printf 'FAILED: %s\n' "$@"
    exit 1
}
# block N: the Nth piece of shell on the page.
block() {
    awk -v wanted="$1" '/^```sh$/ { number++; inside = 1; next } /^```$/ { inside = 0 }
                        inside && number == wanted' "$page"
}
[ "$(grep -c '^```sh$' "$page")" -eq 4 ] || fail "the page has other blocks than this test runs"

"$MUSTER" serve --listen 127.0.0.1:0 --json >ready 2>log &
server=$!
for _ in $(seq 100); do
    [ ! -s ready ] || break
    sleep 0.1
done
origin=http://$(jq -r .listen ready)

muster org create acme --json >/dev/null
okta=$(muster connector create --org acme --idp okta --json | jq -r .id)
(umask 077; muster token generate --connector "$okta" >okta-token)
provision() {
    curl --silent --fail --output /dev/null --header "Authorization: Bearer $(cat okta-token)" \
        --header 'Content-Type: application/scim+json' "$origin/c/$okta/scim/v2/Users" --data \
        "{\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:User\"],\"userName\":\"$1\",\"active\":$2}" ||
        fail "$1 could not be provisioned"
}
provision ann@acme.example true
for number in $(seq 250); do provision "person$number@acme.example" false; done

# What `create` prints is pasted where the page says ID.
first=$(block 1)
eval "$(head -n 1 <<<"$first")" >made
id=$(awk '$1 == "ID" { print $2 }' made)
[ -n "$id" ] || fail "create must print the id" "$(cat made)"
eval "$(tail -n +2 <<<"${first/connector ID/connector $id}")" 2>/dev/null
[ "$(stat -c %a token)" = 600 ] || fail "the token's file must be private"

block 2 >two.sh
one=$(source ./two.sh)
[ "$(jq -c '[.totalResults, .Resources[0].userName, .Resources[0].active]' <<<"$one")" = \
    '[1,"ann@acme.example",true]' ] || fail "the look-up must find her" "$one"
block 3 >three.sh
everybody=$(source ./three.sh)
[ "$(sort -u <<<"$everybody" | wc -l)" -eq 251 ] || fail "each of 251 must be listed" "$everybody"
block 4 >four.sh
changed=$(source ./four.sh)
[ "$(jq .totalResults <<<"$changed")" = 251 ] || fail "all have changed since" "$changed"
echo "read-from-your-product: all holds"
