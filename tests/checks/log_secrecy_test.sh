#!/usr/bin/env bash
# What an organisation's schema hides from everybody is in no record of the log, wherever a client
# guesses at it ($1: the built binary). The same guesses at types that hide nothing are, so that the
# log explains them.
set -euo pipefail
. "$(dirname "$0")/server.sh"

cat >definitions.json <<'JSON'
{"schemas": [{"id": "urn:x:Safe", "attributes": [
    {"name": "displayName", "uniqueness": "server"}, {"name": "pin", "returned": "never"},
    {"name": "keys", "type": "complex", "multiValued": true,
     "subAttributes": [{"name": "value", "mutability": "writeOnly"}, {"name": "kind"}]},
    {"name": "lock", "type": "complex", "returned": "always",
     "subAttributes": [{"name": "code", "returned": "never"}, {"name": "kind"}]}]},
   {"id": "urn:x:Ext", "attributes": [{"name": "pin", "returned": "never"}]}],
 "resourceTypes": [{"name": "Safe", "endpoint": "/Safes", "schema": "urn:x:Safe"},
                   {"name": "User", "schemaExtensions": [{"schema": "urn:x:Ext"}]}]}
JSON
muster org create acme --json >/dev/null
muster schema set --org acme --file definitions.json --json >/dev/null
base=$origin/c/$(muster connector create --org acme --idp generic --json | jq -r .id)/scim/v2
token=$(muster token generate --connector "${base:${#origin}+3:10}" --json | jq -r .secret)

# ask METHOD TARGET [BODY]
ask() {
    curl --silent --globoff --path-as-is --output answer --request "$1" "$base$2" \
        --header "Authorization: Bearer $token" --header 'Content-Type: application/scim+json' \
        ${3:+--data "$3"}
}
# guess ENDPOINT WORD: the word at every place where a comparison could stand.
guess() {
    local at=$1 quoted="%22$2%22" id=${3:-7}
    for query in "?filter=pin%20eq%20$quoted" "?filter=pin%20$2" "?sortBy=pin%20eq%20$quoted" \
        "?attributes=pin%20eq%20$quoted" "?excludedAttributes=pin[value%20eq%20$quoted]" \
        "?count=pin%20eq%20$quoted" "?x=pin%20eq%20$quoted" ";filter=pin+eq+$quoted" \
        "/7%3Ffilter=pin%20eq%20$quoted" "/7;filter=pin+eq+$quoted" "&filter=pin+eq+$quoted" \
        "/.search?filter=pin%20eq%20$quoted" "?pin=$2"; do
        ask GET "$at$query"
        ask DELETE "$at$query"
    done
    local path
    for path in "pin[value eq \\\"$2\\\"]" "pin eq \\\"$2\\\"" "nope[value eq \\\"$2\\\"].x"; do
        ask PATCH "$at/$id" "{\"schemas\": [\"urn:ietf:params:scim:api:messages:2.0:PatchOp\"],
            \"Operations\": [{\"op\": \"add\", \"path\": \"$path\", \"value\": \"a\"}]}"
        ask PATCH "$at/$id" "{\"schemas\": [\"urn:ietf:params:scim:api:messages:2.0:PatchOp\"],
            \"Operations\": [{\"op\": \"add\", \"value\": {\"$path\": \"a\"}}]}"
        ask PUT "$at/$id" "{\"schemas\": [\"urn:x:Safe\",
            \"urn:ietf:params:scim:schemas:core:2.0:Group\"], \"displayName\": \"x\", \"$path\": 1}"
        ask POST /Bulk "{\"schemas\": [\"urn:ietf:params:scim:api:messages:2.0:BulkRequest\"],
            \"Operations\": [{\"method\": \"DELETE\", \"path\": \"$at/7?filter=$path\"}]}"
        ask POST /Bulk "{\"schemas\": [\"urn:ietf:params:scim:api:messages:2.0:BulkRequest\"],
            \"Operations\": [{\"method\": \"DELETE\", \"path\": \"$at&filter=$path\"}]}"
        ask POST "$at/.search" "{\"schemas\":
            [\"urn:ietf:params:scim:api:messages:2.0:SearchRequest\"], \"filter\": \"$path\"}"
    done
}
# records WORD: how many records of the log have it.
records() {
    muster log list --limit 1000 --json | jq -r '.records[].id' | while read -r record; do
        muster log show "$record" --json | grep -c "$1" || true
    done | grep -vc '^0$' || true
}

ask POST /Safes '{"schemas": ["urn:x:Safe"], "displayName": "Safe", "pin": "canary4711",
    "keys": [{"value": "canary4711", "kind": "a"}], "lock": {"code": "canary4711", "kind": "c"}}'
safe=$(jq -r .id answer)
ask PATCH "/Safes/$safe" '{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
    "Operations": [{"op": "add", "path": "keys", "value": [{"value": "canary4711", "kind": "b"}]}]}'
jq -e '.keys == [{"kind": "a"}, {"kind": "b"}] and .lock == {"kind": "c"}' answer >/dev/null || {
    echo "FAILED: what is only written came back or was lost: $(cat answer)"
    exit 1
}
# A value that is returned to nobody is stored; what is only written is not.
stored() { grep -aoE "\"$1\":\"canary4711\"" data/muster.db* | wc -l; }
[ "$(stored pin)" -gt 0 ] || {
    echo "FAILED: what is returned to nobody was not stored"
    exit 1
}
[ "$(stored value)" -eq 0 ] || {
    echo "FAILED: what is only written was stored"
    exit 1
}
guess /Safes canary4711 "$safe"
guess "" canary4711
token=mst_wrong guess /Safes canary4711
# What one type hides may be guessed at where another is asked for.
group='{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "G"}'
ask POST /Groups "$group"
id=$(jq -r .id answer)
guess /Groups canary4711 "$id"
ask GET "/Groups?filter=urn:x:Ext:pin%20eq%20%22canary4711%22"
ask POST /Groups "${group/\"G\"/\"H\", \"urn:x:Ext\": {\"pin\": \"canary4711\"\}}"
ask PATCH "/Groups/$id" '{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
    "Operations": [{"op": "add", "path": "urn:x:Ext:pin", "value": "canary4711"}]}'
leaks=$(records canary4711)
# An organisation that hides nothing.
muster org create plain --json >/dev/null
base=$origin/c/$(muster connector create --org plain --idp generic --json | jq -r .id)/scim/v2
token=$(muster token generate --connector "${base:${#origin}+3:10}" --json | jq -r .secret)
ask POST /Groups "$group"
guess /Groups seagull "$(jq -r .id answer)"
kept=$(records seagull)
[ "$leaks" -eq 0 ] || {
    echo "FAILED: $leaks records hold what nobody may read"
    muster log list --limit 1000 --json | jq -r '.records[].id' | while read -r record; do
        muster log show "$record" --json | grep canary4711 || true
    done | head -n 5
    exit 1
}
[ "$kept" -ge 30 ] || {
    echo "FAILED: only $kept records hold what anybody may read"
    exit 1
}
echo "no record of $(muster log list --limit 1000 --json | jq '.records | length') holds what nobody may read"
