#!/bin/bash
# Work of a hot loop with reclaim over without, in the virtual machine. usage: slowdown.sh BUILD_DIR [taking|huge|bare|settled] [run.sh OPTION...]
# KEEP=DIR in the environment keeps the loops' reports, a line a second; PAIRS=N takes so many pairs.
set -euo pipefail
build=$(cd "$1" && pwd)
mode=${2:-taking}
shift $(($# < 2 ? $# : 2))
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
DESTDIR=$build/stage cmake --install "$build" --prefix /usr --strip >/dev/null
"$(dirname "$0")/../vm/run.sh" slowdown --stage "$build/stage" --build "$build" --out "$out" \
    --timeout 5400 "$@" -- "$mode" "${PAIRS:-}" >&2
[[ -z ${KEEP:-} ]] || { mkdir -p "$KEEP" && cp -r "$out/." "$KEEP"; }
cat "$out/slowdown.json"
