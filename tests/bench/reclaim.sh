#!/bin/bash
# Reclaim by cgtide, oomd's senpai and DAMON_RECLAIM on the same workloads, in the virtual machine. usage: reclaim.sh BUILD_DIR [--case NAME] [--seconds N] [--controllers LIST] [run.sh OPTION...]
# KEEP=DIR in the environment keeps the samples. Without --case all of them, and the slowdown, which takes hours. The last line is JSON; a key that was not measured is null.
set -euo pipefail
build=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
shift
all=(cold-heavy alternating page-cache mixed growing redis)
cases=() seconds='' machine=()
# With all controllers a case shall end within 20 minutes: a turn takes 7 to 25 s more, of redis 16 s or more, of mixed 40 to 60 s.
declare -A usual=([cold-heavy]=110 [alternating]=120 [page-cache]=110 [mixed]=85 [growing]=110 [redis]=105)
controllers=none,cgtide,oomd-reclaim,oomd-reclaim-tuned,oomd-high,oomd-high-tuned,damon-reclaim,damon-reclaim-tuned
bad_usage() {
    printf 'reclaim: %s\n' "$*" >&2
    exit 2
}
while (($#)); do
    case $1 in
    --case | --seconds | --controllers)
        (($# > 1)) || bad_usage "$1 wants a value"
        case $1 in
        --case)
            [[ " ${all[*]} " == *" $2 "* ]] || bad_usage "no case '$2'; there are ${all[*]}"
            cases+=("$2")
            ;;
        --seconds)
            # The figures at instants are means of five seconds.
            [[ $2 =~ ^[1-9][0-9]{1,3}$ ]] || bad_usage "--seconds wants 10 to 9999, not '$2'"
            seconds=$2
            ;;
        --controllers)
            IFS=, read -ra asked <<<"$2"
            for name in "${asked[@]}"; do
                [[ ",$controllers," == *",$name,"* ]] || bad_usage "no controller '$name'; there are $controllers"
            done
            controllers=$2
            ;;
        esac
        shift
        ;;
    *) machine+=("$1") ;;
    esac
    shift
done
slowdown=''
((${#cases[@]})) || { cases=("${all[@]}") slowdown=yes; }

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
DESTDIR=$out/stage cmake --install "$build" --prefix /usr --strip >/dev/null
for program in sampler mapper redis_load; do
    cp "$here/reclaim/$program.py" "$out/stage/usr/bin/cgtide-bench-${program//_/-}"
done
IFS=, read -ra list <<<"$controllers"
status=0
for name in "${cases[@]}"; do
    for_each=${seconds:-${usual[$name]}}
    # A machine that stands still for a while shall end the case no sooner than one that has died.
    "$here/../vm/run.sh" reclaim-peers --stage "$out/stage" --build "$build" --out "$out/results" \
        --timeout "$((300 + ${#list[@]} * (for_each + 120)))" "${machine[@]}" -- "$name" "$for_each" "${list[@]}" >&2 || status=$?
done
if [[ -n $slowdown ]]; then
    "$here/slowdown.sh" "$build" taking "${machine[@]}" >"$out/slowdown.json" || {
        status=$?
        rm -f "$out/slowdown.json"
    }
fi
[[ -z ${KEEP:-} ]] || { mkdir -p "$KEEP" && cp -r "$out/results/." "$KEEP"; }
mkdir -p "$out/results"
python3 "$here/reclaim/summary.py" "$out/results" "$out/slowdown.json" "$(IFS=,; echo "${cases[*]}")" "$controllers" || status=1
exit "$status"
