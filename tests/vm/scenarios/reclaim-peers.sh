#!/bin/bash
# Controllers of reclaim side by side, in turn on the same workload. Arguments: CASE SECONDS CONTROLLER...

# shellcheck source=tests/vm/guest/lib.sh
. /vm/guest/lib.sh

readonly CASE=$1 SECONDS_EACH=$2
shift 2
readonly IDLE=10s MIB=$((1024 * 1024))
readonly ANNOTATED="{\"cgtide.io/apps\": \"reclaim\", \"cgtide.io/profile\": \"eager\", \"cgtide.io/reclaim.idle\": \"$IDLE\"}"
CONTROLLER='' CONTROLLER_PID='' SAMPLER_PID=''
CONTAINERS=()

# --- Controllers: start_X and stop_X; CONTROLLER_PID is whose CPU counts -----------------------------

start_none() { :; }
stop_none() { :; }

start_cgtide() {
    # An emulated machine is 10 to 30 times slower than hardware: nobody's CPU is bounded here.
    cat >/run/cgtide.toml <<'TOML'
[profile.eager]
cpu = "100%"
[[grant]]
cgroup = "/web"
profiles = ["default", "eager"]
TOML
    start_engine --config /run/cgtide.toml
    CONTROLLER_PID=$ENGINE_PID
}
stop_cgtide() { stop_engine; }

# start_oomd INTERVAL ARGUMENT...: senpai on the containers below /web. An argument is "key": "value".
start_oomd() {
    local interval=$1 arguments
    shift
    arguments=$(IFS=,; echo "\"cgroup\": \"web/*\", $*")
    jq -n "{rulesets: [{name: \"senpai\", detectors: [[\"always\", {name: \"continue\", args: {}}]],
        actions: [{name: \"senpai\", args: {$arguments}}]}]}" >/run/oomd.json
    oomd -C /run/oomd.json -i "$interval" -D /run/oomd >>"/out/$CASE.$CONTROLLER.log" 2>&1 &
    CONTROLLER_PID=$!
}
stop_oomd() {
    kill -TERM "$CONTROLLER_PID"
    wait "$CONTROLLER_PID" || true
}
readonly BY_FILE='"immediate_backoff": "true"' BY_LIMIT='"immediate_backoff": "false"'
readonly FLOOR="\"limit_min_bytes\": \"$((16 * MIB))\""
start_oomd-reclaim() { start_oomd 5 "$BY_FILE"; }
start_oomd-reclaim-tuned() { start_oomd 1 "$BY_FILE" "$FLOOR"; }
start_oomd-high() { start_oomd 5 "$BY_LIMIT"; }
start_oomd-high-tuned() { start_oomd 1 "$BY_LIMIT" "$FLOOR"; }
stop_oomd-reclaim() { stop_oomd; }
stop_oomd-reclaim-tuned() { stop_oomd; }
stop_oomd-high() { stop_oomd; }
stop_oomd-high-tuned() { stop_oomd; }

readonly DAMON_RECLAIM=/sys/module/damon_reclaim/parameters
DAMON_WAS=''
# start_damon [NAME VALUE]...: the module with these parameters. It runs as long as DAMON_STAT does not.
start_damon() {
    DAMON_WAS=$(cat /sys/module/damon_stat/parameters/enabled 2>/dev/null || true)
    [[ $DAMON_WAS != Y ]] || echo N >/sys/module/damon_stat/parameters/enabled
    while (($#)); do
        DAMON_KEPT+=("$1" "$(<"$DAMON_RECLAIM/$1")")
        echo "$2" >"$DAMON_RECLAIM/$1"
        shift 2
    done
    echo Y >"$DAMON_RECLAIM/enabled"
}
stop_damon() {
    echo N >"$DAMON_RECLAIM/enabled"
    set -- "${DAMON_KEPT[@]}"
    while (($#)); do
        echo "$2" >"$DAMON_RECLAIM/$1"
        shift 2
    done
    DAMON_KEPT=()
    [[ $DAMON_WAS != Y ]] || echo Y >/sys/module/damon_stat/parameters/enabled
}
DAMON_KEPT=()
start_damon-reclaim() { start_damon; }
# Watermarks that are always met, and memory that is idle for as long as cgtide's.
start_damon-reclaim-tuned() {
    start_damon min_age 10000000 wmarks_low 0 wmarks_high 1000 wmarks_mid 999
}
stop_damon-reclaim() { stop_damon; }
stop_damon-reclaim-tuned() { stop_damon; }

# --- Cases: start_case starts the containers, by container; truths are in their reports ---------------

# container ID CGROUP ANNOTATIONS ARG...: a workload with cgtide's hook; it reports to CASE.CONTROLLER.ID.
container() {
    local id=$1 group=$2 annotations=$3 report=/out/$CASE.$CONTROLLER.$1.jsonl
    shift 3
    CONTAINERS+=("$id:$group")
    rm -rf "/run/$id" "$report"
    make_bundle "/run/$id" "$id" /run/rootfs "$group" "$annotations" -- \
        /bin/cgtide-workload --random 50 --sample 1s --report "$report" "$@"
    add_hooks "/run/$id"
    runtime_create_start "$id" "/run/$id"
}

populated() {
    local entry
    for entry in "${CONTAINERS[@]}"; do
        wait_for 120 has_event "/out/$CASE.$CONTROLLER.${entry%%:*}.jsonl" populated
    done
}

case_cold-heavy() {
    container main /web/main "$ANNOTATED" --hot 32MiB --cold 96MiB
    populated
}

# Hot and cold memory that change places each 30 s.
case_alternating() {
    container main /web/main "$ANNOTATED" --hot 48MiB --cold 48MiB --alternate 30s
    populated
}

# Page cache that is read once, by a process of the container that goes on to its hot memory.
case_page-cache() {
    container main /web/main "$ANNOTATED" --hot 32MiB
    populated
    sh -c "echo \$\$ >$CGROUPS/web/main/cgroup.procs; exec cat /out/once" >/dev/null
}

# Eight containers, of which two are not annotated; one of those maps hot a file that an annotated one has
# read and is charged for.
case_mixed() {
    local i
    for i in 1 2 3; do
        container "cold$i" "/web/cold$i" "$ANNOTATED" --hot 4MiB --cold 24MiB
    done
    container hot1 /web/hot1 "$ANNOTATED" --hot 24MiB
    container hot2 /web/hot2 "$ANNOTATED" --hot 24MiB
    container reader /web/reader "$ANNOTATED" --hot 4MiB --cold 8MiB
    sh -c "echo \$\$ >$CGROUPS/web/reader/cgroup.procs; exec cat /out/once" >/dev/null
    container plain1 /plain/plain1 '{}' --hot 4MiB --cold 24MiB
    container plain2 /plain/plain2 '{}' --hot 4MiB
    sh -c "echo \$\$ >$CGROUPS/plain/plain2/cgroup.procs; exec python3 /usr/bin/cgtide-bench-mapper /out/once" &
    MAPPER=$!
    populated
}
MAPPER=''

# --- One controller ------------------------------------------------------------------------------------

run_controller() {
    local entry groups=()
    CONTROLLER=$1 CONTROLLER_PID='' CONTAINERS=()
    step "$CASE: $CONTROLLER"
    echo 3 >/proc/sys/vm/drop_caches
    "start_$CONTROLLER"
    "case_$CASE"
    for entry in "${CONTAINERS[@]}"; do groups+=("${entry#*:}"); done
    python3 /usr/bin/cgtide-bench-sampler "/out/$CASE.$CONTROLLER.samples" 1 "$CONTROLLER_PID" "${groups[@]#/}" &
    SAMPLER_PID=$!
    # The time is what is measured: nothing is waited for.
    sleep "$SECONDS_EACH"
    kill -TERM "$SAMPLER_PID"
    wait "$SAMPLER_PID" || true
    [[ $CONTROLLER != cgtide ]] || cgtide ps
    [[ -z $MAPPER ]] || { kill "$MAPPER"; wait "$MAPPER" || true; MAPPER=''; }
    for entry in "${CONTAINERS[@]}"; do runtime_delete "${entry%%:*}"; done
    "stop_$CONTROLLER"
}

make_rootfs /run/rootfs
# Not on the root file system: what is on a tmpfs is no page cache.
dd if=/dev/urandom of=/out/once bs=1M count=48 status=none
sync
for controller in "$@"; do
    run_controller "$controller"
done
rm /out/once
step "done"
