#!/bin/bash
# Tests run.sh: its usage errors, then real machines that end, die, hang or are interrupted. Takes
# two minutes.
#
# usage: tests/vm/run_test.sh [--usage-only] [run.sh options, such as --build DIR]
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/cgtide-vm-test.XXXXXXXX")
mkdir "$SCRATCH/tmp"
trap 'rm -rf -- "$SCRATCH"' EXIT
PASSED=0 FAILED=0

# check NAME CONDITION...: counts and prints one result.
check() {
    local name=$1
    shift
    if "$@"; then
        PASSED=$((PASSED + 1))
        echo "ok      $name"
    else
        FAILED=$((FAILED + 1))
        echo "FAILED  $name"
        sed 's/^/        /' "$SCRATCH/stdout" "$SCRATCH/stderr"
    fi
}

# vm ARG...: runs run.sh with its temporary files in our folder; sets STATUS, keeps stdout and
# stderr.
vm() {
    STATUS=0
    TMPDIR=$SCRATCH/tmp "$HERE/run.sh" "$@" >"$SCRATCH/stdout" 2>"$SCRATCH/stderr" || STATUS=$?
}

ended_with() { ((STATUS == $1)); }
says() { grep -qF -- "$1" "$SCRATCH/stderr"; }
refused() { ended_with 2 && says "$1"; }

# nothing_left: no process, mount or file of a run is left.
nothing_left() {
    [[ -z $(ls -A "$SCRATCH/tmp") ]] && processes_ended && no_mount
}

processes_ended() {
    local file line
    for file in /proc/[0-9]*/cmdline; do
        # A process may end before it is read.
        { line=$(tr '\0' ' ' <"$file"); } 2>/dev/null || continue
        [[ $line != *"$SCRATCH"* ]] || return 1
    done
}

no_mount() { ! grep -qF "$SCRATCH" /proc/mounts; }
does_not_say() { ! says "$1"; }

test_usage() {
    vm
    check "no scenario is refused" refused "which scenario?"
    vm nowhere
    check "an unknown scenario is refused" refused "no scenario 'nowhere'"
    vm ../run
    check "a path is no scenario" refused "no scenario '../run'"
    vm boot boot
    check "two scenarios are refused" refused "one scenario at a time"
    vm boot --kernel 5.10
    check "an unknown kernel is refused" refused "--kernel is newest, 6.12 or 6.1"
    vm boot --runtime podman
    check "an unknown runtime is refused" refused "--runtime is runc or crun"
    vm boot --timeout
    check "an option without a value is refused" refused "--timeout wants a value"
    vm boot --timeout 08
    check "a number is checked" refused "--timeout wants a whole number"
    vm boot --memory 16
    check "too little memory is refused" refused "--memory must be at least 256"
    vm boot --stage "$SCRATCH/none"
    check "a missing stage is refused" refused "is not a directory"
    vm boot --counted --numa
    check "a counted machine has one node" refused "--counted has one CPU"
    vm boot --warp
    check "an unknown option is refused" refused "unknown option '--warp'"
    vm --list
    check "--list names the scenarios" grep -q '^boot  *The guest has' "$SCRATCH/stdout"
    vm --help
    check "--help ends well" ended_with 0
}

test_status() {
    vm machine "$@" -- status 7 'two words' "quote's" ''
    check "the scenario's status is ours" ended_with 7
    printf 'out: %s\n' 'two words' "quote's" '' >"$SCRATCH/expected"
    check "arguments and stdout arrive whole" cmp -s "$SCRATCH/expected" "$SCRATCH/stdout"
    check "stderr arrives" grep -qx err "$SCRATCH/stderr"
    check "a run leaves nothing" nothing_left
}

test_stage() {
    mkdir -p "$SCRATCH"/{stage/usr/bin,stage/etc,out}
    printf '#!/bin/sh\necho staged\n' >"$SCRATCH/stage/usr/bin/staged-program"
    chmod +x "$SCRATCH/stage/usr/bin/staged-program"
    echo original >"$SCRATCH/stage/etc/staged.conf"
    vm machine "$@" --stage "$SCRATCH/stage" --out "$SCRATCH/out" -- staged
    check "staged files are in the guest" ended_with 0
    check "what the guest writes to /out is here" grep -qsx changed "$SCRATCH/out/copy"
    check "the stage itself is unchanged" grep -qx original "$SCRATCH/stage/etc/staged.conf"
    mkdir "$SCRATCH/stage/lib"
    vm machine "$@" --stage "$SCRATCH/stage" -- staged
    check "a stage that hides /lib is refused" ended_with 126
}

test_death() {
    vm machine "$@" -- die
    check "a guest that dies is told" ended_with 125
    check "its last words are shown" says "sysrq triggered crash"
    check "a scenario that began is not run again" does_not_say "booting once more"
    vm machine "$@" --memory 9999999 -- hang
    check "a machine that QEMU refuses is told" ended_with 125
    check "QEMU's reason is shown" says "Address space limit"
    vm machine "$@" --timeout 20 -- hang
    check "a guest out of time is told" ended_with 124
    check "after both nothing is left" nothing_left
}

# interrupt SIGNAL ARG...: sends it to run.sh once the scenario runs, and sets STATUS.
interrupt() {
    local signal=$1 pid
    shift
    STATUS=0
    : >"$SCRATCH/stdout"
    # A shell's background job ignores SIGINT, and a shell cannot trap what it was started to
    # ignore.
    TMPDIR=$SCRATCH/tmp env --default-signal=INT "$HERE/run.sh" machine "$@" -- hang \
        >"$SCRATCH/stdout" 2>"$SCRATCH/stderr" &
    pid=$!
    until grep -qx hanging "$SCRATCH/stdout" || [[ ! -d /proc/$pid ]]; do
        sleep 0.2
    done
    kill "-$signal" "$pid"
    { wait "$pid" || STATUS=$?; } 2>/dev/null
}

test_interrupts() {
    interrupt INT "$@"
    check "^C ends a run" ended_with 130
    check "^C leaves nothing" nothing_left
    interrupt KILL "$@"
    local tries
    for ((tries = 0; tries < 50; tries++)); do
        ! processes_ended || break
        sleep 0.1
    done
    check "SIGKILL leaves no process" processes_ended
    check "SIGKILL leaves no mount" no_mount
}

test_usage
if [[ ${1:-} != --usage-only ]]; then
    test_status "$@"
    test_stage "$@"
    test_death "$@"
    test_interrupts "$@"
fi
echo "$PASSED passed, $FAILED failed"
((FAILED == 0))
