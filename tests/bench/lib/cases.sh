# shellcheck shell=bash disable=SC2154
# What benches share that let controllers take turns on cases in the virtual machine. Sourced by one that has set `bench` (its name),
# `all` (its cases), `usual` (seconds, by case) and `controllers` (all of them, with commas).

cases=() seconds='' machine=()

bad_usage() {
    printf '%s: %s\n' "$bench" "$*" >&2
    exit 2
}

# parse_cases [--case NAME] [--seconds N] [--controllers LIST] [run.sh OPTION...]: fills cases (none: all were meant), seconds,
# controllers and machine.
parse_cases() {
    local name known=$controllers asked
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
                    [[ ",$known," == *",$name,"* ]] || bad_usage "no controller '$name'; there are $known"
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
}

# run_cases SCENARIO MORE [run.sh OPTION...]: each case in a boot of its own, into OUT/results from OUT/stage and `build`. A turn may
# take MORE seconds longer than is measured. \returns the last case that failed.
run_cases() {
    local scenario=$1 more=$2 status=0 name for_each list
    shift 2
    IFS=, read -ra list <<<"$controllers"
    mkdir -p "$out/results"
    for name in "${cases[@]}"; do
        for_each=${seconds:-${usual[$name]}}
        # A machine that stands still for a while shall end the case no sooner than one that has died.
        "$here/../vm/run.sh" "$scenario" "$@" --stage "$out/stage" --build "$build" --out "$out/results" \
            --timeout "$((300 + ${#list[@]} * (for_each + more)))" "${machine[@]}" -- "$name" "$for_each" "${list[@]}" >&2 || status=$?
    done
    [[ -z ${KEEP:-} ]] || { mkdir -p "$KEEP" && cp -r "$out/results/." "$KEEP"; }
    return "$status"
}

# case_names: with commas.
case_names() {
    local IFS=,
    echo "${cases[*]}"
}
