#!/bin/bash
# Tests examples/quickstart.sh: its usage, where it runs, its packages and its steps; then that it
# ends well in virtual machines. Takes ten minutes; with --quick, which leaves those out, seconds.
#
# usage: tests/quickstart/quickstart_test.sh [--quick]
set -euo pipefail

TREE=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/cgtide-quickstart-test.XXXXXXXX")
trap 'rm -rf -- "$SCRATCH"' EXIT
PASSED=0 FAILED=0

# The script is a program; its parts are tested as they are sourced by it.
LIVE='' STEP='' STEP_LOG='' STEP_MUST_FINISH=''
exec {STEP_LOCK}>/dev/null
# shellcheck source=examples/quickstart/steps.sh
. "$TREE/examples/quickstart/steps.sh"
# shellcheck source=examples/quickstart/place.sh
. "$TREE/examples/quickstart/place.sh"
# shellcheck source=examples/quickstart/packages.sh
. "$TREE/examples/quickstart/packages.sh"

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
        sed 's/^/        /' "$SCRATCH/said"
    fi
}

# quickstart ARG...: runs the script; sets STATUS, keeps what it said.
quickstart() {
    STATUS=0
    "$TREE/examples/quickstart.sh" "$@" >"$SCRATCH/said" 2>&1 || STATUS=$?
}

ended_with() { ((STATUS == $1)); }
says() { grep -qF -- "$1" "$SCRATCH/said"; }
refused() { ended_with 2 && says "$1"; }

test_usage() {
    quickstart --warp
    check "an unknown argument is refused" refused "unknown argument '--warp'"
    quickstart --runtime podman
    check "an unknown runtime is refused" refused "--runtime is runc or crun"
    quickstart --help
    check "--help ends well" ended_with 0
}

# machine: makes the files of a machine that has all, in ROOT.
machine() {
    ROOT=$SCRATCH/root
    rm -rf "$ROOT"
    mkdir -p "$ROOT"/proc/{sys/kernel,pressure} "$ROOT/sys/fs/cgroup"
    echo 6.12.8-amd64 >"$ROOT/proc/sys/kernel/osrelease"
    echo "cpu io memory pids" >"$ROOT/sys/fs/cgroup/cgroup.controllers"
    echo "some avg10=0.00 avg60=0.00 avg300=0.00 total=0" >"$ROOT/proc/pressure/memory"
    printf 'MemTotal: 1 kB\nSwapFree: %d kB\n' $((256 * 1024)) >"$ROOT/proc/meminfo"
}

# lacks TEXT [RUNTIME]: whether the machine lacks just that.
lacks() {
    place_lacks "$ROOT" "${2:-cat}" >"$SCRATCH/said"
    [[ $(<"$SCRATCH/said") == "$1" ]]
}

test_place() {
    machine
    check "a machine that has all is told" lacks ""
    check "a missing runtime is named" lacks "no cgtide-no-such-runtime" cgtide-no-such-runtime
    echo 6.9.1 >"$ROOT/proc/sys/kernel/osrelease"
    check "6.9 is older than 6.12" lacks "kernel 6.9.1, older than 6.12"
    echo 7.3.4+deb13-cloud-amd64 >"$ROOT/proc/sys/kernel/osrelease"
    check "7.3 is newer" lacks ""
    echo "cpu io pids" >"$ROOT/sys/fs/cgroup/cgroup.controllers"
    check "the memory controller is looked for" lacks \
        "no cgroup v2 memory controller at /sys/fs/cgroup"
    machine
    rm "$ROOT/proc/pressure/memory"
    check "PSI is looked for" lacks "no pressure stall information (boot with psi=1)"
    machine
    printf 'SwapFree: 262143 kB\n' >"$ROOT/proc/meminfo"
    check "free swap is counted" lacks "255 MiB of free swap, less than 256"
    echo 5.10.0 >"$ROOT/proc/sys/kernel/osrelease"
    check "all that is missing is told" lacks \
        "kernel 5.10.0, older than 6.12; 255 MiB of free swap, less than 256"
}

# said TEXT: whether it is just that what was printed into `said`.
said() { [[ $(<"$SCRATCH/said") == "$1" ]]; }

test_packages() {
    printf '# a comment\nbash\n\ncgtide-none # here too\ncoreutils\n' >"$SCRATCH/packages"
    packages_missing "$SCRATCH/packages"
    echo "${MISSING[@]}" >"$SCRATCH/said"
    check "what is missing is found" said cgtide-none
    mkdir "$SCRATCH/tools"
    printf '#!/bin/sh\nprintf "Inst new\\nRemv old [1]\\nRemv older [2]\\n"\n' \
        >"$SCRATCH/tools/apt-get"
    chmod +x "$SCRATCH/tools/apt-get"
    PATH=$SCRATCH/tools:$PATH
    if packages_fit new; then OBSTACLE="none"; fi
    echo "$OBSTACLE" >"$SCRATCH/said"
    check "a removal stands against an installation" said "it would remove old older"
    printf '#!/bin/sh\necho E: no such package >&2; exit 100\n' >"$SCRATCH/tools/apt-get"
    if packages_fit new; then OBSTACLE="none"; fi
    echo "$OBSTACLE" >"$SCRATCH/said"
    check "apt's own reason is told" says "E: no such package"
    PATH=${PATH#*:}
}

quiet() { ! says "$1" && grep -qx "$1" "$STEP_LOG"; }
step_fails() { ! (step_run "a step" false) >"$SCRATCH/said" 2>&1; }

# A process that a step has left in its group ends with the step.
step_ends_all() {
    local pid
    : >"$SCRATCH/said"
    (
        trap step_clean_up EXIT
        trap 'exit 143' TERM
        step_run "a step" bash -c 'sleep 86213 & sleep 86214'
    ) >"$SCRATCH/said" 2>&1 &
    pid=$!
    until pgrep -f '^sleep 86213$' >/dev/null; do
        kill -0 "$pid" || return
    done
    kill -TERM "$pid"
    wait "$pid" || STATUS=$?
    ended_with 143 && ! pgrep -f '^sleep 8621[34]$' >/dev/null
}

test_steps() {
    (step_run "a step" printf 'one\ntwo') >"$SCRATCH/said" 2>&1
    check "a step's lines arrive, the last without its end too" says two
    check "a step that fails ends the script" step_fails
    check "its status is told" says "a step: status 1"
    STEP_LOG=$SCRATCH/log
    (step_run "a step" echo whisper) >"$SCRATCH/said" 2>&1
    check "what goes to a log is not said" quiet whisper
    (step_run "a step" sh -c 'echo whisper; false') >"$SCRATCH/said" 2>&1 || true
    check "but where the step fails" says whisper
    STEP_LOG=''
    check "a signal ends all of a step" step_ends_all
}

# A run in which all is as it should be: what summary.jq gets.
run_facts() {
    jq -n '
        def M: 1048576;
        def sample($hot; $all; $cold; $resident): {hot_bytes: ($hot * M), cold_bytes: ($all * M),
            hot_resident: ($cold * M), cold_resident: ($resident * M)};
        def one($name; $sample; $swap): {name: $name, sample: $sample,
            pressure: "some avg10=0.00 avg60=0.00 avg300=0.00 total=7",
            counters: {usage_bytes: (50 * M), swap_bytes: $swap, most_swap_bytes: $swap,
                       refaults: 3, major_faults: 4}};
        def managed($name; $taken): {name: $name, taken_bytes: ($taken * M),
            last: {reason: "reclaimed", text: "asked", inputs: {}, outcome: null}};
        {cold: [sample(16; 100; 16; 100), sample(16; 100; 16; 20)],
         hot: [sample(40; 0; 40; 0), sample(40; 0; 38; 0), sample(40; 0; 40; 0)],
         plain: [sample(16; 32; 16; 32), sample(16; 32; 16; 32)]} as $samples
        | def state($n; $swap): {engine: {containers: [managed("cold"; 80), managed("hot"; 1)]},
              containers: [one("cold"; $samples.cold[$n]; $swap), one("hot"; $samples.hot[$n]; 0),
                           one("plain"; $samples.plain[$n]; 0)]};
        {samples: $samples, before: state(0; 0), after: state(1; 80 * M),
         cold_opened: {files_opened_for_writing: 5, processes_opened: 3},
         plain_opened: {files_opened_for_writing: 0, processes_opened: 0}}'
}

# judged FILTER FAULT: whether the run, changed by the filter, fails for just that reason; passes
# where the reason is empty. The text is made too.
judged() {
    run_facts | jq "$1" >"$SCRATCH/facts"
    jq -n --arg place host --arg runtime runc --arg kernel 7.3 --argjson seconds 9 \
        --argjson before "$(jq .before "$SCRATCH/facts")" \
        --argjson after "$(jq .after "$SCRATCH/facts")" \
        --argjson samples "$(jq .samples "$SCRATCH/facts")" \
        --argjson cold_opened "$(jq .cold_opened "$SCRATCH/facts")" \
        --argjson plain_opened "$(jq .plain_opened "$SCRATCH/facts")" \
        -f "$TREE/examples/quickstart/summary.jq" >"$SCRATCH/summary.json"
    jq -r -f "$TREE/examples/quickstart/text.jq" "$SCRATCH/summary.json" >"$SCRATCH/said"
    jq -e --arg fault "$2" '([.faults[], .containers[].faults[]] | join("; ")) == $fault
        and .passed == ($fault == "")' "$SCRATCH/summary.json" >/dev/null || return
    if [[ -n $2 ]]; then says "WRONG" && says "$2" && says FAILED; else says passed; fi
}

test_verdict() {
    local plain='.after.containers[2].counters'
    check "a good run passes" judged . ""
    check "cold memory that stayed fails" \
        judged '.after.containers[0].sample.cold_resident += 1048576' \
        "only 79 % of the cold memory is out"
    check "hot memory that was out in one sample fails" \
        judged '.samples.hot[1].hot_resident -= 1048576' "7.5 % of the hot memory was out"
    check "so does that of a container without annotation" \
        judged '.samples.plain[1].hot_resident = 0' "100 % of the hot memory was out"
    check "a write to the third fails" judged '.plain_opened.files_opened_for_writing = 1' \
        "the engine opened its files for writing"
    check "so does a process of it that was opened" judged '.plain_opened.processes_opened = 1' \
        "the engine opened its processes"
    check "its swap fails" judged "$plain.most_swap_bytes = 4096" "4096 bytes of it were in swap"
    check "its refaults fail" judged "$plain.refaults += 1" "1 refaults"
    check "its major faults fail" judged "$plain.major_faults += 2" "2 major faults"
    check "its usage may move a little" judged "$plain.usage_bytes -= 262144" ""
    check "and not more" judged "$plain.usage_bytes -= 262145" "its usage changed by -262145 bytes"
    check "memory may leave without a write" judged '.cold_opened.files_opened_for_writing = 0' ""
    check "or without an opened process" judged '.cold_opened.processes_opened = 0' ""
    check "a trace that shows neither proves nothing" judged '.cold_opened |= map_values(0)' \
        "the trace of the engine shows nothing of the cold container"
    check "what was opened is counted from the trace" counted cold 2 3
    check "and nothing of others" counted plain 0 0
    jq .after "$SCRATCH/facts" |
        jq -r --argjson width 70 -f "$TREE/examples/quickstart/table.jq" >"$SCRATCH/said"
    check "the table fits" says \
        "cold    16.0 of 16 MiB  20.0 of 100 MiB   80.0 MiB   0.00 %  reclaimed"
    check "it keeps to its width" lines_of_at_most 70
}

# counted NAME FILES PROCESSES: whether just so many are counted in a trace of a run.
counted() (
    # shellcheck source=examples/quickstart/watch.sh
    . "$TREE/examples/quickstart/watch.sh"
    OUT=$SCRATCH
    BEFORE='{"containers":[{"name":"cold","processes":[41]},{"name":"plain","processes":[4]}]}'
    AFTER='{"containers":[{"name":"cold","processes":[41,52]},{"name":"plain","processes":[4]}]}'
    cat >"$OUT/opens.strace" <<'END'
7 pidfd_open(7, 0) = 3<anon_inode:[pidfd]>
7 pidfd_open(41, 0) = 4<anon_inode:[pidfd]>
8 pidfd_open(52, 0 <unfinished ...>
7 pidfd_open(41, 0) = -1 ESRCH (No such process)
7 openat2(9</sys/fs/cgroup/quickstart/cold>, "memory.reclaim", {flags=O_WRONLY|O_CLOEXEC}, 24) = 5
7 openat(9, "/sys/fs/cgroup/quickstart/cold/memory.high", O_RDWR|O_CLOEXEC) = 5
7 openat2(9</sys/fs/cgroup/quickstart/cold>, "memory.stat", {flags=O_RDONLY|O_CLOEXEC}, 24) = 5
7 openat2(9</sys/fs/cgroup/quickstart/colder>, "memory.reclaim", {flags=O_WRONLY}, 24) = 5
7 openat2(9</sys/fs/cgroup/quickstart/plain>, "memory.stat", {flags=O_RDONLY|O_CLOEXEC}, 24) = 5
END
    [[ $(opened "$1") == "{\"files_opened_for_writing\":$2,\"processes_opened\":$3}" ]]
)

lines_of_at_most() { awk -v most="$1" 'length > most { exit 1 }' "$SCRATCH/said"; }

# nothing_left: no process, mount or file of a run in a virtual machine is left.
nothing_left() {
    local files
    files=$(find "$SCRATCH/tmp" -mindepth 1
        find "$TREE" -newer "$SCRATCH/began" -type f -not -path "$TREE/build/*")
    echo "left: $files" >>"$SCRATCH/said"
    [[ -z $files ]] && ! grep -F "$SCRATCH" /proc/mounts &&
        ! pgrep -fa "$SCRATCH|$TREE/(examples|tests/vm)/.*sh" >>"$SCRATCH/said"
}

# interrupt TEXT: runs the script in the virtual machine, and ends it once it has said TEXT.
interrupt() {
    local pid
    STATUS=0
    : >"$SCRATCH/said"
    # A shell's background job ignores SIGINT, and a shell cannot trap what it was started to
    # ignore.
    TMPDIR=$SCRATCH/tmp env --default-signal=INT "$TREE/examples/quickstart.sh" --vm \
        >"$SCRATCH/said" 2>&1 &
    pid=$!
    until says "$1" || ! kill -0 "$pid" 2>/dev/null; do
        sleep 0.1
    done
    kill -INT "$pid" 2>/dev/null || true
    { wait "$pid" || STATUS=$?; } 2>/dev/null
    check "^C ends it after '$1'" ended_with 130
    check "^C after '$1' leaves nothing" nothing_left
}

test_machines() {
    local build=$TREE/build/release stage=$TREE/build/quickstart/stage
    "$TREE/examples/quickstart/build.sh" "$TREE" "$build" "$stage"
    cp -r "$stage" "$SCRATCH/stage"
    mkdir -p "$SCRATCH/stage/opt/tree" "$SCRATCH/tmp"
    tar -C "$TREE" -c .ci examples tests/vm | tar -C "$SCRATCH/stage/opt/tree" -x
    STATUS=0
    "$TREE/tests/vm/run.sh" quickstart-ends --stage "$SCRATCH/stage" 2>&1 |
        tee "$SCRATCH/said" || STATUS=$?
    check "on the machine itself it ends well whatever happens" ended_with 0
    touch "$SCRATCH/began"
    interrupt "building cgtide"
    interrupt "vm: quickstart on kernel"
    interrupt "starting cgtided"
    interrupt "NAME"
}

test_usage
test_place
test_packages
test_steps
test_verdict
if [[ ${1:-} != --quick ]]; then
    test_machines
fi
echo "$PASSED passed, $FAILED failed"
((FAILED == 0))
