#!/bin/bash
# Controllers of memory tiers side by side, in turn on the same workload. Arguments: CASE SECONDS CONTROLLER...
# The workloads' own reports are /out/CASE.CONTROLLER.NAME.jsonl. It takes two NUMA nodes (--numa).

# shellcheck source=tests/vm/guest/lib.sh
. /vm/guest/lib.sh
# shellcheck source=tests/vm/guest/turns.sh
. /vm/guest/turns.sh

shift 2
readonly IDLE=10s
# What the fastest node has left for each case, beside a locked ballast: less than the containers have, but in shares.
declare -rA ROOM_MIB=([still]=224 [moving]=224 [shares]=320 [hog]=320)

# annotated FAST: app tier with a share.
annotated() {
    printf '{"cgtide.io/apps": "tier", "cgtide.io/profile": "eager", "cgtide.io/reclaim.idle": "%s", "cgtide.io/tier.fast": "%s"}' "$IDLE" "$1"
}

# --- Controllers -----------------------------------------------------------------------------------------

start_none() { :; }
stop_none() { :; }

readonly GRANTED='apps = ["stat", "tier", "reclaim"]
low = "100%"'
start_cgtide() { start_engine_for_web "$GRANTED"; }
stop_cgtide() { end_process "$ENGINE_PID"; }
start_cgtide-damos() {
    start_engine_for_web "$GRANTED"'
[tier]
mover = "damos"'
}
stop_cgtide-damos() { stop_cgtide; }

# On a node that demotes and has no swap.
start_cgtide-reclaim() {
    swapoff -a
    echo 1 >/sys/kernel/mm/numa/demotion_enabled
    start_engine_for_web "$GRANTED"'
[tier]
mover = "memory.reclaim"'
}
stop_cgtide-reclaim() {
    stop_cgtide
    echo 0 >/sys/kernel/mm/numa/demotion_enabled
    swapon /dev/zram0
}

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

# The hot set moves every 60 s; the fastest node has room for it, and not for all of the rest.
case_moving() {
    container main /web/main "$(annotated 0..112MiB)" --hot 96MiB --hot-node 0 --cold 96MiB --cold-node 1 --alternate 60s
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

# ballast_stands: whether the ballast has said so.
ballast_stands() { [[ -s /run/ballast ]]; }

# lacking: nothing that a controller needs.
# shellcheck disable=SC2317 # turns.sh calls it
lacking() { :; }

# shellcheck disable=SC2317 # turns.sh calls it
measure() {
    rm -f /run/ballast
    python3 /vm/guest/ballast.py 0 "${ROOM_MIB[$CASE]}" /run/ballast &
    HELPERS+=($!)
    wait_for 120 ballast_stands
    "start_$CONTROLLER"
    start_sampler 2
    "case_$CASE"
    work
    if [[ $CONTROLLER == cgtide* ]]; then
        cgtide tier
        cgtide tier --json >"/out/$CASE.$CONTROLLER.tier.json"
        cgtide explain "${CONTAINERS[-1]}" --last 8
    fi
}

[[ $NUMA == yes ]] || fail "this takes two NUMA nodes: --numa"
echo 0 >/proc/sys/kernel/numa_balancing
make_rootfs /run/rootfs
take_turns "$@"
step "done"
