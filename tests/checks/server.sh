# Sourced with the built binary as $1: a temporary directory to work in, `muster`, and a server whose
# address is in $origin, until the script ends.
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; wait; rm -rf "$work"' EXIT
cd "$work"
MUSTER=$1
muster() { command "$MUSTER" "$@"; }
export MUSTER_DATA=$work/data NO_PROXY='*'
mkdir -m 700 "$MUSTER_DATA"

"$MUSTER" serve --listen 127.0.0.1:0 --json >ready 2>log &
server=$!
for _ in $(seq 100); do
    [ ! -s ready ] || break
    sleep 0.1
done
origin=http://$(jq -r .listen ready)
