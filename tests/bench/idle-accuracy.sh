#!/bin/bash
# What cgtide tells of idle memory against the truth, in the virtual machine. usage: idle-accuracy.sh BUILD_DIR [--layout fixed|SEED]... [--run default|regions|generations|default_100]... [run.sh OPTION...]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
shift
layouts=() runs=()
while [[ ${1:-} == --layout || ${1:-} == --run ]] && (($# > 1)); do
    if [[ $1 == --layout ]]; then layouts+=(--layout "$2"); else runs+=("$2"); fi
    shift 2
done
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
python3 "$here/idle_accuracy/layouts.py" "${layouts[@]}" >"$out/layouts.json"
DESTDIR=$build/stage cmake --install "$build" --prefix /usr --strip >/dev/null
"$here/../vm/run.sh" idle-accuracy --stage "$build/stage" --build "$build" --out "$out" \
    --timeout 3000 "$@" -- "${runs[@]}" >&2
python3 "$here/idle_accuracy/compare.py" "$out"
