# shellcheck shell=bash
# What scenarios share. Sourced by each; RUNTIME (runc or crun), KERNEL (newest, 6.12 or 6.1) and
# NUMA (yes, cpus or empty) are set.

set -euo pipefail

readonly CGROUPS=/sys/fs/cgroup
readonly ENGINE_SOCKET=/run/cgtide/cgtide.sock
# Scenarios read it in messages and copy it for a reader of the host.
readonly ENGINE_LOG=/out/cgtided.log
ENGINE_PID=''
ENGINE_UNDER=()

# stamp: prints the guest's time since boot.
stamp() {
    local uptime
    read -r uptime _ </proc/uptime
    printf '[%8.2f]' "$uptime"
}

# step TEXT: says what happens next.
step() {
    printf '%s %s\n' "$(stamp)" "$*"
}

# fail TEXT: ends the scenario, with what the engine said of the first containers last.
fail() {
    printf '%s FAILED: %s\n' "$(stamp)" "$*" >&2
    local id
    for id in $(timeout 5 cgtide ps --json 2>/dev/null | jq -r ".containers[:8][].name"); do
        timeout 5 cgtide explain "$id" --last 6 >&2 || true
    done
    exit 1
}

# expect TEXT COMMAND...: fails with TEXT and what the command printed unless it succeeds.
expect() {
    local text=$1 output
    shift
    output=$("$@" 2>&1) || fail "$text (\`$*\`: $output)"
}

# wait_for SECONDS COMMAND...: runs a condition until it holds, and fails with its text when time is
# out.
wait_for() {
    local limit=$1 deadline
    shift
    deadline=$((SECONDS + limit))
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < deadline)) || fail "not within $limit s: $*"
        sleep 0.2
    done
}

# make_rootfs DIR: makes a container's root that holds the workload as /bin/cgtide-workload and no
# other program.
make_rootfs() {
    mkdir -p "$1"/{bin,dev,proc,sys,tmp,out}
    cp /usr/bin/cgtide-workload "$1/bin/"
}

# make_bundle DIR ID ROOTFS CGROUPSPATH ANNOTATIONS -- ARGV...: writes the OCI bundle DIR, whose
# /out is the scenario's.
# ANNOTATIONS is a JSON object. The container is not started. Hooks come later: add_hooks.
make_bundle() {
    local dir=$1 id=$2 rootfs=$3 cgroups_path=$4 annotations=$5
    [[ $6 == -- ]] || fail "make_bundle wants -- before the container's command"
    shift 6
    rm -f "/out/$id.jsonl" # an earlier run's, where --out names the same folder
    mkdir -p "$dir"
    jq -n --arg id "$id" --arg rootfs "$rootfs" --arg path "$cgroups_path" \
        --argjson annotations "$annotations" '{
            ociVersion: "1.0.2",
            hostname: $id,
            root: {path: $rootfs, readonly: true},
            annotations: $annotations,
            process: {
                args: $ARGS.positional, cwd: "/", env: ["PATH=/bin"], terminal: false,
                user: {uid: 0, gid: 0}, noNewPrivileges: true,
                capabilities: {bounding: [], effective: [], permitted: []}
            },
            mounts: [
                {destination: "/proc", type: "proc", source: "proc"},
                {destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid"]},
                {destination: "/tmp", type: "tmpfs", source: "tmpfs", options: ["nosuid"]},
                {destination: "/out", type: "bind", source: "/out", options: ["rbind", "rw"]}
            ],
            linux: {
                cgroupsPath: $path,
                namespaces: [{type: ("pid", "ipc", "uts", "mount", "cgroup", "network")}],
                maskedPaths: ["/proc/kcore"],
                readonlyPaths: ["/proc/sys"]
            }
        }' --args -- "$@" >"$dir/config.json"
}

# The hook's budget: its own of 80 ms is for hardware, and this machine is 10 to 30 times slower.
readonly HOOK_BUDGET='["--budget", "1500"]'

# add_hooks BUNDLE: has cgtide put its hooks into a bundle, and gives them time.
add_hooks() {
    cgtide hooks --bundle "$1" >/dev/null || fail "cgtide hooks --bundle $1"
    jq --argjson budget "$HOOK_BUDGET" '.hooks[][].args += $budget' "$1/config.json" >"$1/config.new"
    mv "$1/config.new" "$1/config.json"
}

# runtime_create_start ID BUNDLE: starts the bundle's container. What it and the runtime print goes
# to BUNDLE/output.
runtime_create_start() {
    local id=$1 bundle=$2
    # A runtime's caller keeps these descriptors open in the container.
    "$RUNTIME" create --bundle "$bundle" "$id" </dev/null >"$bundle/output" 2>&1 ||
        fail "$RUNTIME create $id: $(<"$bundle/output")"
    "$RUNTIME" start "$id" >>"$bundle/output" 2>&1 ||
        fail "$RUNTIME start $id: $(<"$bundle/output")"
}

# runtime_status ID: prints creating, created, running or stopped.
runtime_status() {
    "$RUNTIME" state "$1" | jq -r .status
}

# runtime_is ID STATUS
runtime_is() {
    [[ $(runtime_status "$1") == "$2" ]]
}

# runtime_stop ID: asks the container's first process to end and waits until it has.
runtime_stop() {
    expect "cannot stop $1" "$RUNTIME" kill "$1" TERM
    wait_for 30 runtime_is "$1" stopped
}

# runtime_delete ID: removes the container, running or not.
runtime_delete() {
    expect "cannot delete $1" "$RUNTIME" delete --force "$1"
}

# has_event FILE EVENT: whether a workload's report has such an event.
has_event() {
    grep -q "^{\"event\":\"$2\"" "$1"
}

# last_sample FILE FIELD: prints one field of a workload's newest line.
last_sample() {
    tail -n 1 "$1" | jq ".$2"
}

# by_hand ID CGROUP ANNOTATIONS: a container without a runtime: a process in a cgroup of its own ($! afterwards), and the hook's work.
by_hand() {
    mkdir -p "$CGROUPS$2"
    sleep 1000 &
    echo $! >"$CGROUPS$2/cgroup.procs"
    printf '{"ociVersion":"1.0.2","id":"%s","status":"created","pid":%d,"bundle":"/b/%s","annotations":%s}' \
        "$1" $! "$1" "$3" >/run/state.json
    /usr/libexec/cgtide/cgtide-hook --budget 1500 --strict </run/state.json || fail "the hook failed for $1"
    wait_for 20 grep -q " $1 (id .*registered" "$ENGINE_LOG"
}

# start_workload ID CGROUP ANNOTATIONS ARG...: runs the workload in a container with cgtide's hooks, and waits until its memory is there.
# Its report is /out/ID.jsonl, its root is /run/rootfs (make_rootfs).
start_workload() {
    local id=$1 group=$2 annotations=$3
    shift 3
    make_bundle "/run/$id" "$id" /run/rootfs "$group" "$annotations" -- \
        /bin/cgtide-workload --sample 1s --report "/out/$id.jsonl" "$@"
    add_hooks "/run/$id"
    runtime_create_start "$id" "/run/$id"
    wait_for 120 has_event "/out/$id.jsonl" populated
}

# has_samples ID COUNT: whether a workload has reported so often.
has_samples() {
    (($(wc -l <"/out/$1.jsonl") >= $2))
}

# told NAME REASON: whether it stands in the container's journal.
told() {
    cgtide explain "$1" --json | jq -e --arg reason "$2" '.entries | map(.reason) | index($reason)'
}

last_reason_is() {
    [[ $(cgtide explain "$1" --json | jq -r '.entries[-1].reason') == "$2" ]]
}

# seconds_pass N: until N more seconds of the guest have passed, in which something must not happen.
seconds_pass() {
    local end=$((SECONDS + $1))
    while ((SECONDS < end)); do sleep 0.5; done
}

# swap_of ID: bytes of the container /web/ID in swap.
swap_of() {
    echo "$(<"$CGROUPS/web/$1/memory.swap.current")"
}

swapped_more_than() {
    (($(swap_of "$1") > $2))
}

# memory_stat CGROUP KEY: prints one number of its memory.stat.
memory_stat() {
    awk -v key="$2" '$1 == key { print $2 }' "$CGROUPS/$1/memory.stat"
}

# engine_listens: whether somebody accepts on the engine's socket; a socket file alone may be left
# from a dead engine.
engine_listens() {
    # The fourth column holds the socket's flags, of which this is "listening".
    awk -v path="$ENGINE_SOCKET" '$4 == "00010000" && $8 == path { found = 1 }
        END { exit !found }' /proc/net/unix
}

engine_listens_or_ended() {
    engine_listens || ! kill -0 "$ENGINE_PID"
}

# damon_state: who has DAMON, in short.
damon_state() {
    local file
    for file in /sys/kernel/mm/damon/admin/kdamonds/nr_kdamonds /sys/module/damon_*/parameters/enabled; do
        [[ ! -e $file ]] || printf '%s %s\n' "$file" "$(<"$file")"
    done
}

# damon_files: every file of DAMON's tree and every setting of its modules, with what it says. What a
# module has measured itself can be read alone, and changes while it runs.
damon_files() {
    {
        find /sys/kernel/mm/damon -type f -print0
        find /sys/module/damon_*/parameters -type f -perm /222 -print0
    } 2>/dev/null | sort -z | xargs -0 grep -H '' 2>/dev/null || true
}

# is_as_before WHEN: fails where DAMON's files differ from $before.
is_as_before() {
    local now
    now=$(damon_files)
    # shellcheck disable=SC2154 # a scenario's own
    [[ $now == "$before" ]] || fail "$1, DAMON differs: $(diff <(echo "$before") <(echo "$now"))"
}

# start_engine [ARG...]: runs cgtided in the background until it listens, by ENGINE_UNDER (a command
# before it). Sets ENGINE_PID.
start_engine() {
    "${ENGINE_UNDER[@]}" cgtided "$@" >>"$ENGINE_LOG" 2>&1 &
    ENGINE_PID=$!
    wait_for 30 engine_listens_or_ended
    engine_listens || fail "cgtided ended before it listened: $(tail -n 20 "$ENGINE_LOG")"
}

# stop_engine: ends the engine by SIGTERM, which must end it well.
stop_engine() {
    local status=0
    kill -TERM "$ENGINE_PID"
    wait "$ENGINE_PID" || status=$?
    ENGINE_PID=''
    ((status == 0)) || fail "cgtided ended with status $status: $(tail -n 20 "$ENGINE_LOG")"
}
