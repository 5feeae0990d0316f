#!/usr/bin/env bash
# docs/how-to/read-from-your-product.md, each of its commands as it stands there, with the built
# binary ($1): somebody whom Okta has provisioned is found in each of the ways.
set -euo pipefail
page=$(cd "$(dirname "$0")/../.." && pwd)/docs/how-to/read-from-your-product.md
. "$(dirname "$0")/server.sh"

fail() {
    printf 'FAILED: %s\n' "$@"
    exit 1
}
# block N: the Nth piece of shell on the page.
block() {
    awk -v wanted="$1" '/^```sh$/ { number++; inside = 1; next } /^```$/ { inside = 0 }
                        inside && number == wanted' "$page"
}
[ "$(grep -c '^```sh$' "$page")" -eq 6 ] || fail "the page has other blocks than this test runs"

muster org create acme --json >/dev/null
okta=$(muster connector create --org acme --idp okta --json | jq -r .id)
(umask 077; muster token generate --connector "$okta" >okta-token)
# bulk: carries out the operations on standard input, one a line.
bulk() {
    jq --slurp '{schemas: ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], Operations: .}' |
        curl --silent --fail-with-body --header "Authorization: Bearer $(cat okta-token)" \
            --header 'Content-Type: application/scim+json' "$origin/c/$okta/scim/v2/Bulk" --data @- |
        jq --exit-status 'all(.Operations[]; .status | startswith("2"))' >/dev/null ||
        fail "not all could be provisioned"
}
person() {
    jq --null-input --arg name "$1" --argjson active "$2" '{method: "POST", path: "/Users",
        bulkId: $name, data: {schemas: ["urn:ietf:params:scim:schemas:core:2.0:User"],
                              userName: $name, active: $active}}'
}
{
    person ann@acme.example true
    for number in $(seq 250); do person "person$number@acme.example" false; done
} | bulk

# What `create` prints is pasted where the page says ID.
first=$(block 1)
eval "$(head -n 1 <<<"$first")" >made
id=$(awk '$1 == "ID" { print $2 }' made)
[ -n "$id" ] || fail "create must print the id" "$(cat made)"
eval "$(tail -n +2 <<<"${first/connector ID/connector $id}")" 2>paste.log || fail "the first block ended early" "$(cat paste.log)"
[ "$(stat -c %a token)" = 600 ] || fail "the token's file must be private"

block 2 >ask.sh
block 3 >look_up.sh
block 4 >pages.sh
block 5 >everybody.sh
block 6 >changed.sh
source ./ask.sh
source ./pages.sh
one=$(source ./look_up.sh)
[ "$(jq -c '[.totalResults, .Resources[0].userName, .Resources[0].active]' <<<"$one")" = \
    '[1,"ann@acme.example",true]' ] || fail "the look-up must find her" "$one"
source ./everybody.sh
[ "$(jq -r .userName everybody | sort -u | wc -l)" -eq 251 ] || fail "each of 251 must be listed"
source ./changed.sh
[ "$(wc -l <changed)" -eq 251 ] || fail "at first all have changed"

# More than a page of people change, the first one last of all.
date --utc +%FT%T.%3NZ >seen
source ./changed.sh
[ ! -s changed ] || fail "nobody has changed since"
date --utc +%FT%T.%3NZ >seen
tac everybody | jq '{method: "PATCH", path: "/Users/\(.id)", data: {
    schemas: ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
    Operations: [{op: "replace", path: "title", value: "moved"}]}}' | bulk
source ./changed.sh
[ "$(jq -r .userName changed | sort -u | wc -l)" -eq 251 ] || fail "each of 251 has changed"
seen=$(cat seen)

# An error is no empty list, and moves no mark.
echo mst_wrong >token
rm everybody
if source ./everybody.sh; then fail "a wrong token must be an error"; fi
[ ! -e everybody ] || fail "an error lists nobody"
if source ./changed.sh; then fail "a wrong token must be an error here too"; fi
[ "$(cat seen)" = "$seen" ] || fail "the mark must stay"
echo "read-from-your-product: all holds"
