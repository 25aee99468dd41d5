#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The demonstration, with no network: slow poems in turn and at once, then 200 URLs at once, half over TLS.
# All servers are leat's own. Its arguments are the folder of the compiled examples and leat-fetch.
set -euo pipefail
programs=$1
fetch=$2
scratch=$(mktemp -d)
servers=()
finish() {
    kill "${servers[@]}" 2>/dev/null || true
    wait
    rm -rf "$scratch"
}
trap finish EXIT

# start NAME LINES PROGRAM...: starts a server and waits until it has said where it listens
start() {
    : >"$scratch/$1" # is there before it is looked at
    "${@:3}" >>"$scratch/$1" &
    servers+=($!)
    for ((tries = 0; tries < 100; ++tries)); do
        [ "$(wc -l <"$scratch/$1")" -ge "$2" ] && return
        sleep 0.1
    done
    echo "demo: $3 did not start" >&2
    exit 1
}
places() {
    sed 's/^listening on //' "$scratch/$1"
}

pause=0.5
start poetry 3 "$programs/poetry_server" --ports 0,0,0 --pause $pause
readarray -t poets < <(places poetry)
echo "== Three poems of four words from slow servers, a word each $pause s: one after another"
"$programs/poetry_sync" "${poets[@]}" | tee "$scratch/in-turn"
echo "== the same at once, in one thread"
"$programs/poetry_async" "${poets[@]}" | tee "$scratch/at-once"

start origin 2 "$programs/demo_origin" "$scratch/ca.pem"
readarray -t origins < <(places origin)
for ((i = 1; i <= 100; ++i)); do
    echo "http://${origins[0]}/$i"
    echo "https://${origins[1]}/$i"
done >"$scratch/urls"
echo "== 200 URLs, half of them over TLS; the server waits up to half a second for each"
"$fetch" --discard --cacert "$scratch/ca.pem" -i "$scratch/urls" | tee "$scratch/fetched"

echo "== In short"
echo "poems in turn: $(sed -n 's/^Got poems in //p' "$scratch/in-turn")"
echo "poems at once: $(sed -n 's/^Got poems in //p' "$scratch/at-once")"
echo "200 URLs:      $(tail -n 1 "$scratch/fetched")"
