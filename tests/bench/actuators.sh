#!/bin/bash
# Actuators of proven memory on the same container, in the virtual machine. usage: actuators.sh BUILD_DIR [--seconds N] [--kinds LIST] [--actuators LIST] [run.sh OPTION...]
# Kinds: anon, file. Actuators: pageout, damos and reclaim-regions by regions, reclaim-generations and lru_gen by generations. KEEP=DIR in the environment keeps the samples.
set -euo pipefail
build=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
shift
seconds=60 kinds=anon,file actuators=pageout,damos,reclaim-regions,reclaim-generations,lru_gen
while (($# > 1)); do
    case $1 in
    --seconds) seconds=$2 ;;
    --kinds) kinds=$2 ;;
    --actuators) actuators=$2 ;;
    *) break ;;
    esac
    shift 2
done
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
DESTDIR=$out/stage cmake --install "$build" --prefix /usr --strip >/dev/null
cp "$here/reclaim/sampler.py" "$out/stage/usr/bin/cgtide-bench-sampler"
status=0
"$here/../vm/run.sh" actuators --stage "$out/stage" --build "$build" --out "$out/results" \
    --timeout 6000 "$@" -- "$seconds" "$kinds" "$actuators" >&2 || status=$?
[[ -z ${KEEP:-} ]] || cp -r "$out/results" "$KEEP"
python3 "$here/actuators/summary.py" "$out/results"
exit "$status"
