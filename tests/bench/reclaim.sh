#!/bin/bash
# Reclaim by cgtide, oomd's senpai and DAMON_RECLAIM on the same workloads, in the virtual machine. usage: reclaim.sh BUILD_DIR [--case NAME] [--seconds N] [--controllers LIST] [run.sh OPTION...]
# KEEP=DIR in the environment keeps the samples. Without --case all of them, and the slowdown, which takes an hour. The last line is JSON; a key that was not measured is null.
set -euo pipefail
build=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
shift
cases=(cold-heavy alternating page-cache mixed) seconds=120 slowdown=yes
controllers=none,cgtide,oomd-reclaim,oomd-reclaim-tuned,oomd-high,oomd-high-tuned,damon-reclaim,damon-reclaim-tuned
while (($# > 1)); do
    case $1 in
    --case) cases=("$2") slowdown='' ;;
    --seconds) seconds=$2 ;;
    --controllers) controllers=$2 ;;
    *) break ;;
    esac
    shift 2
done
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
DESTDIR=$out/stage cmake --install "$build" --prefix /usr --strip >/dev/null
cp "$here/reclaim/sampler.py" "$out/stage/usr/bin/cgtide-bench-sampler"
cp "$here/reclaim/mapper.py" "$out/stage/usr/bin/cgtide-bench-mapper"
IFS=, read -ra list <<<"$controllers"
status=0
for name in "${cases[@]}"; do
    "$here/../vm/run.sh" reclaim-peers --stage "$out/stage" --build "$build" --out "$out/results" \
        --timeout 3000 "$@" -- "$name" "$seconds" "${list[@]}" >&2 || status=$?
done
if [[ -n $slowdown ]]; then
    "$here/slowdown.sh" "$build" taking >"$out/slowdown.json" || status=$?
fi
[[ -z ${KEEP:-} ]] || cp -r "$out/results" "$KEEP"
python3 "$here/reclaim/summary.py" "$out/results" "$out/slowdown.json"
exit "$status"
