#!/bin/bash
# The main job on this machine: an engine, three containers, a table, a verdict.
# examples/quickstart.sh runs it here or in a virtual machine. See --help.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly HERE
readonly USAGE=2

# shellcheck source=examples/quickstart/containers.sh
. "$HERE/containers.sh"
# shellcheck source=examples/quickstart/watch.sh
. "$HERE/watch.sh"

usage() {
    cat <<'EOT'
usage: examples/quickstart/run.sh [--stage DIR] [--out DIR] [--runtime runc|crun] [--place TEXT]
                                  [--live COLUMNS]

Starts an engine of its own and three containers, shows a table while cold memory leaves, and says
whether the right memory left. Needs root, cgroup v2 with the memory controller, PSI, free swap, a
runtime, jq and strace. Uses the control group /quickstart and nothing of an installed cgtide.

  --stage DIR      where cgtide is installed, and cgtide-workload as usr/bin/cgtide-workload
                   (default: /)
  --out DIR        for summary.json, the engine's log and what the containers report
                   (default: a temporary directory, removed at the end)
  --runtime NAME   runc or crun (default: runc)
  --place TEXT     what the summary calls this machine (default: host)
  --live COLUMNS   draws the table over itself, for a terminal of that width

exit status: 0 all as it should be; 1 not, or a failure; 2 wrong usage
EOT
}

# say TEXT: a line for the reader, with the seconds since the start.
say() { printf '[%4d s] %s\n' "$SECONDS" "$*"; }
die() {
    say "FAILED: $*" >&2
    exit 1
}
bad_usage() {
    printf "%s\ntry 'examples/quickstart/run.sh --help'\n" "$*" >&2
    exit "$USAGE"
}

parse_arguments() {
    STAGE='' OUT='' RUNTIME=runc PLACE=host LIVE='' WIDTH=110
    while (($#)); do
        case $1 in
            --stage | --out | --runtime | --place | --live)
                (($# > 1)) || bad_usage "$1 wants a value"
                case $1 in
                    --stage) STAGE=${2%/} ;;
                    --out) mkdir -p "$2" && OUT=$(realpath "$2") ;;
                    --runtime) RUNTIME=$2 ;;
                    --place) PLACE=$2 ;;
                    --live)
                        [[ $2 =~ ^[1-9][0-9]{0,3}$ ]] || bad_usage "--live wants a number"
                        LIVE=yes WIDTH=$2
                        ;;
                esac
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
    [[ $RUNTIME == runc || $RUNTIME == crun ]] || bad_usage "--runtime is runc or crun"
}

check_machine() {
    ((EUID == 0)) || die "must run as root"
    local program
    for program in jq strace "$RUNTIME" "$STAGE"/usr/bin/cgtide "$STAGE"/usr/sbin/cgtided \
        "$STAGE"/usr/libexec/cgtide/cgtide-hook "$STAGE"/usr/bin/cgtide-workload; do
        command -v "$program" >/dev/null || die "no program $program"
    done
    grep -qw memory "$CGROUPS/cgroup.controllers" 2>/dev/null ||
        die "no cgroup v2 memory controller at $CGROUPS"
}

# Every way out comes by here; what the containers did not end by themselves ends now.
# shellcheck disable=SC2317 # a trap calls it
clean_up() {
    trap '' INT TERM HUP
    containers_remove
    engine_end || true
    groups_remove
    rm -rf -- "$WORK"
}

main() {
    parse_arguments "$@"
    check_machine
    # Not below /run, where programs may not be executed on some machines.
    WORK=$(mktemp -d "${TMPDIR:-/tmp}/cgtide-quickstart.XXXXXXXX")
    ENGINE_PID='' GROUPS_MADE=''
    trap clean_up EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    OUT=${OUT:-$WORK/out}
    RUN_DIR=$WORK/run
    mkdir -p "$OUT"
    rm -f "$OUT"/{summary.json,engine.log,opens.strace,cold.jsonl,hot.jsonl,plain.jsonl}

    groups_make
    say "starting cgtided"
    engine_start
    say "starting three containers with $RUNTIME: cold and hot are annotated, plain is not"
    containers_start
    watch_population
    BEFORE=$(facts)
    watch_reclaim
    AFTER=$(facts)
    say "ending the containers and cgtided"
    containers_stop
    engine_end || die "cgtided did not end well: $(tail -n 5 "$OUT/engine.log")"
    groups_remove
    [[ ! -d $CGROUPS/quickstart ]] || die "a control group is left below $CGROUPS/quickstart"
    conclude
}

main "$@"
