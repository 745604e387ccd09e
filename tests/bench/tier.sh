#!/bin/bash
# Memory tiers by cgtide (by each of its movers), by the kernel's own tiering and by nobody, in the virtual machine. usage: tier.sh BUILD_DIR [--case NAME] [--seconds N] [--controllers LIST] [run.sh OPTION...]
# KEEP=DIR in the environment keeps the samples. The last line is JSON; a key that was not measured is null.
set -euo pipefail
build=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
shift
bench=tier
all=(still moving shares hog)
# Moving: four phases of 60 s, three of which a move begins.
declare -A usual=([still]=70 [moving]=240 [shares]=70 [hog]=70)
controllers=none,kernel,cgtide,cgtide-damos,cgtide-reclaim
# shellcheck source=tests/bench/lib/cases.sh
. "$here/lib/cases.sh"
parse_cases "$@"
((${#cases[@]})) || cases=("${all[@]}")

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
DESTDIR=$out/stage cmake --install "$build" --prefix /usr --strip >/dev/null
cp "$here/reclaim/sampler.py" "$out/stage/usr/bin/cgtide-bench-sampler"
status=0
run_cases tier-peers 150 --numa --memory 1024 || status=$?
python3 "$here/tier/summary.py" "$out/results" "$(case_names)" "$controllers" || status=1
exit "$status"
