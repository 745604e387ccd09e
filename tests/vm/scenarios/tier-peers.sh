#!/bin/bash
# Controllers of memory tiers side by side, in turn on the same workload. Arguments: CASE SECONDS CONTROLLER...
#
# Of each it leaves /out/CASE.CONTROLLER.outcome, a line of JSON (done or failed, and why), and the workloads' own reports
# /out/CASE.CONTROLLER.NAME.jsonl. It takes two NUMA nodes (--numa).

# shellcheck source=tests/vm/guest/lib.sh
. /vm/guest/lib.sh

readonly CASE=$1 SECONDS_EACH=$2
shift 2
readonly IDLE=10s
# What the fastest node has left for each case, beside a locked ballast: less than the containers have, but in shares.
declare -rA ROOM_MIB=([still]=224 [moving]=176 [shares]=320 [hog]=320)
CONTROLLER='' CONTROLLER_PID=''
CONTAINERS=() HELPERS=() FAILED=0

# annotated FAST: app tier with a share.
annotated() {
    printf '{"cgtide.io/apps": "tier", "cgtide.io/profile": "eager", "cgtide.io/reclaim.idle": "%s", "cgtide.io/tier.fast": "%s"}' "$IDLE" "$1"
}

# fail TEXT: as lib.sh's, and keeps the text for the outcome.
fail() {
    printf '%s' "$*" >/run/why
    printf '%s FAILED: %s\n' "$(stamp)" "$*" >&2
    exit 1
}

# end_process PID: by request, after 20 s by force.
end_process() {
    kill -TERM "$1" 2>/dev/null || true
    timeout 20 tail -s 0.2 --pid="$1" -f /dev/null || kill -KILL "$1" || true
    wait "$1"
}

# --- Controllers -----------------------------------------------------------------------------------------

start_none() { :; }
stop_none() { :; }

start_cgtide() {
    # An emulated machine is 10 to 30 times slower than hardware: nobody's CPU is bounded here.
    cat >/run/cgtide.toml <<'TOML'
[profile.eager]
cpu = "100%"
[[grant]]
cgroup = "/web"
apps = ["stat", "tier", "reclaim"]
profiles = ["default", "eager"]
low = "100%"
TOML
    start_engine --config /run/cgtide.toml
    CONTROLLER_PID=$ENGINE_PID
}
stop_cgtide() { end_process "$ENGINE_PID"; }

# The kernel's own tiering, with its defaults but for the scan, which is as fast as it may be.
start_kernel() {
    echo 2 >/proc/sys/kernel/numa_balancing
    echo 1 >/sys/kernel/mm/numa/demotion_enabled
}
stop_kernel() {
    echo 0 >/proc/sys/kernel/numa_balancing
    echo 0 >/sys/kernel/mm/numa/demotion_enabled
}

lives() { [[ -z $CONTROLLER_PID ]] || kill -0 "$CONTROLLER_PID"; }

# --- Cases ---------------------------------------------------------------------------------------------------

report() { echo "/out/$CASE.$CONTROLLER.$1.jsonl"; }

# container ID CGROUP ANNOTATIONS ARG...: a workload that has populated its memory.
container() {
    local id=$1 group=$2 annotations=$3
    shift 3
    CONTAINERS+=("$id")
    rm -f "$(report "$id")"
    make_bundle "/run/$id" "$id" /run/rootfs "$group" "$annotations" -- \
        /bin/cgtide-workload --sample 2s --nodes tell --report "$(report "$id")" "$@"
    add_hooks "/run/$id"
    runtime_create_start "$id" "/run/$id"
    wait_for 120 has_event "$(report "$id")" populated
}

# A hot set on the slow node, cold memory on the fast one, and a stranger with both.
case_still() {
    container plain /plain/plain '{}' --hot 16MiB --hot-node 1 --cold 16MiB --cold-node 0
    container main /web/main "$(annotated 0..100%)" --hot 64MiB --hot-node 1 --cold 96MiB --cold-node 0
}

# The hot set moves every 60 s; the fastest node has room for it and a quarter of the rest.
case_moving() {
    container main /web/main "$(annotated 0..80MiB)" --hot 64MiB --hot-node 0 --cold 64MiB --cold-node 1 --alternate 60s
}

# Shares of 70 % and 30 % of 120 MiB, which both have the hot memory to fill, and a container without annotation.
case_shares() {
    container plain /plain/plain '{}' --hot 16MiB --hot-node 1 --cold 16MiB --cold-node 1
    container big /web/big "$(annotated 84MiB..84MiB)" --hot 100MiB --hot-node 1
    container small /web/small "$(annotated 36MiB..36MiB)" --hot 60MiB --hot-node 1
}

# A hog without hot memory has filled the fastest node; the victim's hot set is on the slow one.
case_hog() {
    container hog /web/hog "$(annotated 0..100%)" --hot 1MiB --cold 300MiB --cold-node 0
    container victim /web/victim "$(annotated 48MiB..100%)" --hot 64MiB --hot-node 1
}

# --- One controller --------------------------------------------------------------------------------------------

# shellcheck disable=SC2317 # a trap calls it
tear_down() {
    local status=$? stopped=0 pid id
    trap - EXIT
    set +e
    "stop_$CONTROLLER" || stopped=$?
    for pid in "${HELPERS[@]}"; do end_process "$pid"; done
    for id in "${CONTAINERS[@]}"; do "$RUNTIME" delete --force "$id" & done
    wait
    ((status != 0 || stopped == 0)) || fail "$CONTROLLER has ended with status $stopped"
    exit "$status"
}

# ballast_stands: whether the ballast has said so.
ballast_stands() { [[ -s /run/ballast ]]; }

measure() {
    local begin
    trap tear_down EXIT
    echo 3 >/proc/sys/vm/drop_caches
    rm -f /run/ballast
    python3 /usr/bin/cgtide-bench-ballast "${ROOM_MIB[$CASE]}" /run/ballast &
    HELPERS+=($!)
    wait_for 120 ballast_stands
    "start_$CONTROLLER"
    "case_$CASE"
    read -r begin _ </proc/uptime
    echo "$begin" >/run/begin
    lives || fail "$CONTROLLER has ended before anything was measured"
    # The time is what is measured: nothing is waited for.
    sleep "$SECONDS_EACH"
    lives || fail "$CONTROLLER has ended while it was measured"
    cut -d ' ' -f 14,15 "/proc/${CONTROLLER_PID:-self}/stat" >/run/cpu
    if [[ $CONTROLLER == cgtide ]]; then
        cgtide tier
        cgtide tier --json >"/out/$CASE.cgtide.tier.json"
        cgtide explain "${CONTAINERS[-1]}" --last 8
    fi
}

# outcome done|failed WHY [BEGIN]
outcome() {
    jq -nc --arg outcome "$1" --arg why "$2" --argjson begin "${3:-null}" '$ARGS.named' >"/out/$CASE.$CONTROLLER.outcome"
}

turn() {
    local why status=0
    CONTROLLER=$1
    rm -f /run/why /run/begin "/out/$CASE.$CONTROLLER".*
    step "$CASE: $CONTROLLER"
    # Not as a condition: bash would not end the inner shell at an error then.
    set +e
    (
        set -e
        measure
    )
    status=$?
    set -e
    if ((status != 0)); then
        why=$(cat /run/why 2>/dev/null || echo "the scenario's shell ended with status $status")
        outcome failed "$why"
        FAILED=$((FAILED + 1))
        return
    fi
    outcome "done" '' "$(</run/begin)"
}

[[ $NUMA == yes ]] || fail "this takes two NUMA nodes: --numa"
echo 0 >/proc/sys/kernel/numa_balancing
make_rootfs /run/rootfs
for controller in "$@"; do
    turn "$controller"
done
((FAILED == 0)) || fail "$FAILED of $# controllers failed"
step "done"
