#!/bin/bash
# What watching many containers costs, against damo record and a C loop, in the virtual machine. usage: monitor-cost.sh BUILD_DIR [--containers N] [--rounds N]
# --containers takes one size only (0: counters alone, 500 groups). The last line is JSON; a key that was not measured is null.
set -euo pipefail
build=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
shift
counts=(1 10 100 400 0) rounds=3
while (($# > 1)); do
    case $1 in
        --containers) counts=("$2") ;;
        --rounds) rounds=$2 ;;
        *) break ;;
    esac
    shift 2
done
if (($#)); then
    sed -n '2s/^# *//p' "$0" >&2
    exit 2
fi
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
DESTDIR=$out/stage cmake --install "$build" --prefix /usr --strip >/dev/null
cp "$build"/tests/bench/monitor_cost/monitor_cost_{fleet,loop} "$out/stage/usr/bin/"
status=0
"$here/../vm/run.sh" monitor-cost --stage "$out/stage" --build "$build" --out "$out" --memory 3072 \
    --timeout 5400 -- "$rounds" "${counts[@]}" >&2 || status=$?
((status == 0)) || tail -n 20 "$out"/{cgtided,damo}.log >&2 || true
python3 "$here/monitor_cost/summary.py" "$out/monitor-cost.jsonl"
exit "$status"
