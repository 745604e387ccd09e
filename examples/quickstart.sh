#!/bin/bash
# cgtide's main job in one command. See --help.
set -euo pipefail
# A root who came by su may lack these.
PATH=$PATH:/usr/sbin:/sbin

TREE=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly TREE
readonly PARTS=$TREE/examples/quickstart BUILD=$TREE/build/release OUT=$TREE/build/quickstart
readonly STAGE=$OUT/stage USAGE=2

# shellcheck source=examples/quickstart/steps.sh
. "$PARTS/steps.sh"
# shellcheck source=examples/quickstart/place.sh
. "$PARTS/place.sh"
# shellcheck source=examples/quickstart/packages.sh
. "$PARTS/packages.sh"

usage() {
    cat <<'EOT'
usage: examples/quickstart.sh [--vm] [--runtime runc|crun]

Shows cgtide's main job on Debian 12, as root, without questions: installs the packages it needs,
builds, and starts two annotated containers and one without annotation. Cold memory leaves, hot
memory stays, and the third container is not touched. That happens on this machine if it has a
kernel of 6.12 or newer, the memory controller of cgroup v2, pressure stall information, runc or
crun, and 256 MiB of free swap; else in a virtual machine.

  --vm             in the virtual machine, whatever this machine has
  --runtime NAME   runc or crun (default: runc, or what this machine has)
  -h, --help       prints this

The packages stand in .ci/packages and tests/vm/packages. Where apt would have to remove something
to install those, cgtide is built in a Debian root file system apart, and shown in the virtual
machine. The result is build/quickstart/summary.json. Nothing is left but build/, those packages,
and kernels and root file systems in ${CGTIDE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/cgtide}.

exit status: 0 all as it should be; 1 not, or a failure; 2 wrong usage; 130 interrupted
EOT
}

bad_usage() {
    printf "%s\ntry 'examples/quickstart.sh --help'\n" "$*" >&2
    exit "$USAGE"
}

parse_arguments() {
    FORCE_VM='' RUNTIME=''
    while (($#)); do
        case $1 in
            --vm) FORCE_VM=yes ;;
            --runtime)
                [[ ${2:-} == runc || ${2:-} == crun ]] || bad_usage "--runtime is runc or crun"
                RUNTIME=$2
                shift
                ;;
            -h | --help)
                usage
                exit
                ;;
            *) bad_usage "unknown argument '$1'" ;;
        esac
        shift
    done
}

# choose_place: sets PLACE to host or vm, and RUNTIME where it was not asked for.
choose_place() {
    local lacks
    lacks=$(place_lacks '' "$RUNTIME")
    if [[ -n $FORCE_VM ]]; then
        PLACE=vm
        say "in the virtual machine, because of --vm"
    elif [[ -n $lacks ]]; then
        PLACE=vm
        say "in a virtual machine, because this machine has $lacks"
    else
        PLACE=host
        RUNTIME=${RUNTIME:-$(place_runtime)}
        say "on this machine: it has all that is needed"
    fi
    RUNTIME=${RUNTIME:-runc}
}

# get_packages: installs what is missing. Sets ROOT_APART where building has to be done apart.
get_packages() {
    local missing
    ROOT_APART='' STEP_LOG=$OUT/apt.log
    packages_missing "$TREE/.ci/packages"
    missing=("${MISSING[@]}")
    if ((${#missing[@]})); then
        packages_lists
        if ! packages_fit "${missing[@]}"; then
            say "building in a root file system apart: apt says $OBSTACLE"
            ROOT_APART=yes missing=()
            # What is built there links with libraries that this machine may lack.
            if [[ $PLACE == host ]]; then
                PLACE=vm
                say "in a virtual machine, because this machine cannot have cgtide's packages"
            fi
        fi
    fi
    if [[ $PLACE == vm ]]; then
        packages_missing "$TREE/tests/vm/packages"
        if ((${#MISSING[@]})); then
            missing+=("${MISSING[@]}")
            packages_lists
            packages_fit "${missing[@]}" ||
                die "the virtual machine's packages (${MISSING[*]}) cannot be installed: apt says" \
                    "$OBSTACLE"
        fi
    fi
    ((${#missing[@]} == 0)) || packages_install "${missing[@]}"
    STEP_LOG=''
}

main() {
    STEP='' STEP_LOG='' STEP_MUST_FINISH='' LIVE=''
    parse_arguments "$@"
    ((EUID == 0)) || die "must run as root: it installs packages and makes control groups"
    [[ ! -t 1 ]] || LIVE=yes
    mkdir -p "$OUT"
    exec {STEP_LOCK}>"$TREE/build/quickstart.lock"
    flock -n "$STEP_LOCK" || die "another quickstart runs in this tree"
    rm -f "$OUT/summary.json"
    trap step_clean_up EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP

    choose_place
    get_packages
    local builder=build.sh width
    [[ -z $ROOT_APART ]] || builder=build_apart.sh
    STEP_LOG=$OUT/build.log
    step_run "building cgtide in build/release" "$PARTS/$builder" "$TREE" "$BUILD" "$STAGE"
    STEP_LOG=''

    local arguments=()
    if [[ -n $LIVE ]]; then
        width=$(stty size </dev/tty | cut -d' ' -f2) || width=80
        arguments=(--live "$width")
    fi
    if [[ $PLACE == host ]]; then
        step_run "starting with $RUNTIME" "$PARTS/run.sh" --stage "$STAGE" --out "$OUT" \
            --runtime "$RUNTIME" "${arguments[@]}"
    else
        step_run "booting the virtual machine (at first its kernel and root are fetched)" \
            "$TREE/tests/vm/run.sh" quickstart --stage "$STAGE" --build "$BUILD" --out "$OUT" \
            --runtime "$RUNTIME" -- "${arguments[@]}"
    fi
    say "done; the summary is in build/quickstart/summary.json"
}

main "$@"
