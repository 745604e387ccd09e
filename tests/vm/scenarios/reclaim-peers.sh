#!/bin/bash
# Controllers of reclaim side by side, in turn on the same workload. Arguments: CASE SECONDS CONTROLLER...

# shellcheck source=tests/vm/guest/lib.sh
. /vm/guest/lib.sh
# shellcheck source=tests/vm/guest/turns.sh
. /vm/guest/turns.sh

shift 2
readonly IDLE=10s MIB=$((1024 * 1024))
readonly ANNOTATED="{\"cgtide.io/apps\": \"reclaim\", \"cgtide.io/profile\": \"eager\", \"cgtide.io/reclaim.idle\": \"$IDLE\"}"

# --- Controllers: start_X and stop_X; CONTROLLER_PID is whose CPU counts -----------------------------
# stop_X also takes away what a start that failed has left.

start_none() { :; }
stop_none() { :; }

start_cgtide() { start_engine_for_web ''; }
stop_cgtide() {
    end_process "$ENGINE_PID"
}

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
# It ends by the signal.
stop_oomd() { end_process "$CONTROLLER_PID" || true; }
readonly BY_FILE='"immediate_backoff": "true"' BY_LIMIT='"immediate_backoff": "false"'
# Senpai acts each 6 ticks by itself.
readonly TUNED="\"limit_min_bytes\": \"$((16 * MIB))\", \"interval\": \"1\""
start_oomd-reclaim() { start_oomd 5 "$BY_FILE"; }
start_oomd-reclaim-tuned() { start_oomd 1 "$BY_FILE" "$TUNED"; }
start_oomd-high() { start_oomd 5 "$BY_LIMIT"; }
start_oomd-high-tuned() { start_oomd 1 "$BY_LIMIT" "$TUNED"; }
stop_oomd-reclaim() { stop_oomd; }
stop_oomd-reclaim-tuned() { stop_oomd; }
stop_oomd-high() { stop_oomd; }
stop_oomd-high-tuned() { stop_oomd; }

readonly DAMON_RECLAIM=/sys/module/damon_reclaim/parameters DAMON_STAT=/sys/module/damon_stat/parameters
DAMON_KEPT=() # names and values
# start_damon [NAME VALUE]...: the module with these parameters. It runs as long as DAMON_STAT does not.
start_damon() {
    if [[ -e $DAMON_STAT/enabled && $(<"$DAMON_STAT/enabled") == Y ]]; then
        DAMON_KEPT=(stat Y)
        echo N >"$DAMON_STAT/enabled"
    fi
    while (($#)); do
        DAMON_KEPT+=("$1" "$(<"$DAMON_RECLAIM/$1")")
        echo "$2" >"$DAMON_RECLAIM/$1"
        shift 2
    done
    echo Y >"$DAMON_RECLAIM/enabled" || fail "DAMON_RECLAIM does not start: $(damon_state)"
}
stop_damon() {
    echo N >"$DAMON_RECLAIM/enabled"
    set -- "${DAMON_KEPT[@]}"
    while (($#)); do
        if [[ $1 == stat ]]; then
            echo "$2" >"$DAMON_STAT/enabled"
        else
            echo "$2" >"$DAMON_RECLAIM/$1"
        fi
        shift 2
    done
}
start_damon-reclaim() { start_damon; }
# Watermarks that are always met, memory that is idle for as long as cgtide's, and 20 times the time a second: an
# emulated machine is 10 to 30 times slower than hardware.
start_damon-reclaim-tuned() {
    start_damon min_age 10000000 wmarks_low 0 wmarks_high 1000 wmarks_mid 999 quota_ms 200
}
stop_damon-reclaim() { stop_damon; }
stop_damon-reclaim-tuned() { stop_damon; }

# lacking: prints what the controller needs and this kernel does not have, if anything.
lacking() {
    case $CONTROLLER in
    damon-*) [[ -e $DAMON_RECLAIM/enabled ]] || echo "this kernel has no DAMON_RECLAIM" ;;
    oomd-reclaim*) [[ -e $CGROUPS/scenario/memory.reclaim ]] || echo "this kernel has no memory.reclaim" ;;
    esac
}

# lives: whether the controller works: its process, or DAMON_RECLAIM's worker.
lives() {
    case $CONTROLLER in
    none) ;;
    damon-*) [[ -d /proc/$(<"$DAMON_RECLAIM/kdamond_pid") ]] ;;
    *) kill -0 "$CONTROLLER_PID" ;;
    esac
}

# --- Cases: start_case starts the containers, by container; truths are in their reports ---------------

# run_bundle ID: starts the bundle /run/ID with cgtide's hooks.
run_bundle() {
    CONTAINERS+=("$1")
    rm -f "$(report "$1")"
    add_hooks "/run/$1"
    runtime_create_start "$1" "/run/$1"
}

# container ID CGROUP ANNOTATIONS ARG...: a workload.
container() {
    local id=$1 group=$2 annotations=$3
    shift 3
    make_bundle "/run/$id" "$id" /run/rootfs "$group" "$annotations" -- \
        /bin/cgtide-workload --random 50 --sample 1s --report "$(report "$id")" "$@"
    run_bundle "$id"
}

populated() {
    local id
    for id in "${CONTAINERS[@]}"; do
        wait_for 120 has_event "$(report "$id")" populated
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
# read and is charged for. They rest between passes: eight that do not would have the two processors to themselves.
case_mixed() {
    local i rest=(--pause-us 50000)
    for i in 1 2 3; do
        container "cold$i" "/web/cold$i" "$ANNOTATED" --hot 4MiB --cold 24MiB "${rest[@]}"
    done
    container hot1 /web/hot1 "$ANNOTATED" --hot 24MiB "${rest[@]}"
    container hot2 /web/hot2 "$ANNOTATED" --hot 24MiB "${rest[@]}"
    container reader /web/reader "$ANNOTATED" --hot 4MiB --cold 8MiB "${rest[@]}"
    sh -c "echo \$\$ >$CGROUPS/web/reader/cgroup.procs; exec cat /out/once" >/dev/null
    container plain1 /plain/plain1 '{}' --hot 4MiB --cold 24MiB "${rest[@]}"
    container plain2 /plain/plain2 '{}' --hot 4MiB "${rest[@]}"
    sh -c "echo \$\$ >$CGROUPS/plain/plain2/cgroup.procs; exec python3 /usr/bin/cgtide-bench-mapper /out/once" &
    HELPERS+=($!)
    populated
}

# Hot memory that grows from 16 to 64 MiB in steps, and in another container hot memory that doubles within a second.
case_growing() {
    container steps /web/steps "$ANNOTATED" --hot 16MiB --cold 32MiB --grow 4MiB/5s/64MiB
    container jump /web/jump "$ANNOTATED" --hot 32MiB --cold 32MiB --grow "32MiB/$((SECONDS_EACH * 2 / 5))s/64MiB"
    populated
}

# A server in a container, whose client outside of it asks for skewed keys.
case_redis() {
    [[ -d /run/redis-rootfs ]] || make_redis_rootfs
    rm -rf /run/redis-socket
    mkdir /run/redis-socket
    make_bundle /run/redis redis /run/redis-rootfs /web/redis "$ANNOTATED" -- /usr/bin/redis-server --port 0 \
        --unixsocket /socket/redis --save '' --appendonly no --dir /tmp
    jq '.mounts += [{destination: "/socket", type: "bind", source: "/run/redis-socket", options: ["rbind", "rw"]}]' \
        /run/redis/config.json >/run/redis/config.new
    mv /run/redis/config.new /run/redis/config.json
    run_bundle redis
    python3 /usr/bin/cgtide-bench-redis-load /run/redis-socket/redis "$(report redis)" &
    HELPERS+=($!)
    populated
}

# make_redis_rootfs: a root with redis-server, the libraries that it is linked with, and nothing else.
make_redis_rootfs() {
    local file
    mkdir -p /run/redis-rootfs/{usr/bin,dev,proc,sys,tmp,out,socket}
    cp -L /usr/bin/redis-server /run/redis-rootfs/usr/bin/
    ldd /usr/bin/redis-server | grep -o '/[^ ]*' | while read -r file; do
        mkdir -p "/run/redis-rootfs${file%/*}"
        cp -L "$file" "/run/redis-rootfs$file"
    done
}

# --- One controller ------------------------------------------------------------------------------------

# measure: one controller's turn, in a shell of its own.
# shellcheck disable=SC2317 # turns.sh calls it
measure() {
    "start_$CONTROLLER"
    start_sampler 1
    "case_$CASE"
    work
    [[ $CONTROLLER != cgtide ]] || cgtide ps
}

make_rootfs /run/rootfs
# Not on the root file system: what is on a tmpfs is no page cache.
dd if=/dev/urandom of=/out/once bs=1M count=48 status=none
sync
take_turns "$@"
rm /out/once
step "done"
