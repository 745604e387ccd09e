#!/bin/bash
# Reclaim by cgtide, oomd's senpai and DAMON_RECLAIM on the same workloads, in the virtual machine. usage: reclaim.sh BUILD_DIR [--case NAME] [--seconds N] [--controllers LIST] [run.sh OPTION...]
# KEEP=DIR in the environment keeps the samples. Without --case all of them, and the slowdown, which takes hours. The last line is JSON; a key that was not measured is null.
set -euo pipefail
build=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
shift
bench=reclaim
all=(cold-heavy alternating page-cache mixed growing redis)
# With all controllers a case shall end within 20 minutes: a turn takes 7 to 25 s more, of redis 16 s or more, of mixed 40 to 60 s.
declare -A usual=([cold-heavy]=110 [alternating]=120 [page-cache]=110 [mixed]=85 [growing]=110 [redis]=105)
controllers=none,cgtide,oomd-reclaim,oomd-reclaim-tuned,oomd-high,oomd-high-tuned,damon-reclaim,damon-reclaim-tuned
# shellcheck source=tests/bench/lib/cases.sh
. "$here/lib/cases.sh"
parse_cases "$@"
slowdown=''
((${#cases[@]})) || { cases=("${all[@]}") slowdown=yes; }

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
DESTDIR=$out/stage cmake --install "$build" --prefix /usr --strip >/dev/null
for program in sampler mapper redis_load; do
    cp "$here/reclaim/$program.py" "$out/stage/usr/bin/cgtide-bench-${program//_/-}"
done
status=0
run_cases reclaim-peers 120 || status=$?
if [[ -n $slowdown ]]; then
    "$here/slowdown.sh" "$build" taking --counted "${machine[@]}" >"$out/slowdown.json" || {
        status=$?
        rm -f "$out/slowdown.json"
    }
fi
python3 "$here/reclaim/summary.py" "$out/results" "$out/slowdown.json" "$(case_names)" "$controllers" || status=1
exit "$status"
