#!/bin/bash
# Memory tiers by cgtide, by the kernel's own tiering and by nobody, in the virtual machine. usage: tier.sh BUILD_DIR [--case NAME] [--seconds N] [--controllers LIST] [run.sh OPTION...]
# KEEP=DIR in the environment keeps the samples. The last line is JSON; a key that was not measured is null.
set -euo pipefail
build=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
shift
all=(still moving shares hog)
cases=() seconds='' machine=()
# Moving: four phases of 60 s, three of which a move begins.
declare -A usual=([still]=70 [moving]=240 [shares]=70 [hog]=70)
controllers=none,kernel,cgtide
bad_usage() {
    printf 'tier: %s\n' "$*" >&2
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
((${#cases[@]})) || cases=("${all[@]}")

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
DESTDIR=$out/stage cmake --install "$build" --prefix /usr --strip >/dev/null
cp "$here/tier/ballast.py" "$out/stage/usr/bin/cgtide-bench-ballast"
IFS=, read -ra list <<<"$controllers"
status=0
for name in "${cases[@]}"; do
    for_each=${seconds:-${usual[$name]}}
    "$here/../vm/run.sh" tier-peers --numa --memory 1024 --stage "$out/stage" --build "$build" --out "$out/results" \
        --timeout "$((300 + ${#list[@]} * (for_each + 150)))" "${machine[@]}" -- "$name" "$for_each" "${list[@]}" >&2 || status=$?
done
[[ -z ${KEEP:-} ]] || { mkdir -p "$KEEP" && cp -r "$out/results/." "$KEEP"; }
mkdir -p "$out/results"
python3 "$here/tier/summary.py" "$out/results" "$(IFS=,; echo "${cases[*]}")" "$controllers" || status=1
exit "$status"
