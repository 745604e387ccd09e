#!/bin/bash
# What watching costs: kdamonds and engine against damo record on the same processes, and counters alone against a C loop. Arguments: ROUNDS COUNT...

# shellcheck source=tests/vm/guest/lib.sh
. /vm/guest/lib.sh

readonly ROUNDS=${1:-3}
shift $(($# < 1 ? $# : 1))
readonly -a COUNTS=("${@:-400}")
readonly WINDOW=20 PERIOD=6 WHOLE_PERIODS=6 COUNTER_GROUPS=500 MIB_EACH=2
readonly DAMON_STAT=/sys/module/damon_stat/parameters/enabled
# Of all targets together, by the target: what the engine has for processes of this size (engine/damon/plan.hpp).
readonly LEAST_REGIONS=4 MOST_REGIONS=100
readonly RESULTS=/out/monitor-cost.jsonl
readonly KDAMONDS=/sys/kernel/mm/damon/admin/kdamonds CONVERSION_SECONDS=40
FLEET_PID='' DAMO_PID='' CONVERSION='' ENDED=''

# start_fleet COUNT: that many containers of one sleeping process each, registered; pids in /run/pids.
start_fleet() {
    rm -f /run/pids
    monitor_cost_fleet "$1" "$MIB_EACH" /fleet /run/cgtide >/run/pids &
    FLEET_PID=$!
    fleet_is_up() { (($(wc -l </run/pids) == $1)); }
    wait_for 120 fleet_is_up "$1"
}

stop_fleet() {
    kill "$FLEET_PID"
    wait "$FLEET_PID" || fail "the fleet ended badly"
}

# group_cpu GROUP: microseconds that all processes of a control group have used.
group_cpu() {
    awk '$1 == "usage_usec" { print $2 }' "$CGROUPS/$1/cpu.stat"
}

# kdamond_cpu: microseconds that all workers of DAMON have used.
kdamond_cpu() {
    local pid sum=0 ran
    for pid in $(pgrep '^kdamond' || true); do
        read -r ran _ <"/proc/$pid/schedstat"
        sum=$((sum + ran / 1000))
    done
    echo "$sum"
}

now_us() {
    awk '{ printf "%d", $1 * 1e6 }' /proc/uptime
}

# between_periods: waits for the middle of a period, so that a window has whole ones.
between_periods() {
    local now
    now=$(now_us)
    sleep "$(awk -v now="$now" -v period="$((PERIOD * 1000000))" \
        'BEGIN { printf "%.3f", ((period * 1.5 - now % period) % period) / 1e6 }')"
}

# note KEY VALUE...: appends a result; values are JSON.
note() {
    local filter='{}' arguments=()
    while (($#)); do
        arguments+=(--argjson "$1" "$2")
        filter+=" + {\"$1\": \$$1}"
        shift 2
    done
    jq -nc "${arguments[@]}" "$filter" | tee -a "$RESULTS"
}

registered() {
    (($(grep -c ': registered,' "$ENGINE_LOG") == $1))
}

# watched_for NAME SECONDS: whether idle times of it are known for so long.
watched_for() {
    cgtide idle "$1" --json | jq -e --argjson seconds "$2" '.idle.watched_us >= $seconds * 1e6'
}

# run_engine CONFIG COUNT SECONDS: starts the engine, waits for all containers, and measures: sets CPU, WORKERS, ELAPSED and RSS.
run_engine() {
    local count=$2 seconds=$3 cpu workers begin last
    : >"$ENGINE_LOG"
    start_engine --config "$1"
    wait_for 120 registered "$count"
    if [[ $1 != /run/counters.toml ]]; then
        last=$(sed -n 's/.* \(c[0-9]*\) (id .*registered,.*/\1/p' "$ENGINE_LOG" | tail -n 1)
        wait_for 240 watched_for "$last" 12
    else
        sleep "$((PERIOD * 2))"
        between_periods
    fi
    begin=$(now_us) cpu=$(group_cpu cgtide) workers=$(kdamond_cpu)
    sleep "$seconds"
    [[ $1 != /run/counters.toml ]] || between_periods
    CPU=$(($(group_cpu cgtide) - cpu)) WORKERS=$(($(kdamond_cpu) - workers))
    ELAPSED=$(($(now_us) - begin))
    RSS=$(awk '$1 == "VmRSS:" { print $2 }' "/proc/$ENGINE_PID/status")
}

# measure_engine COUNT ROUND
measure_engine() {
    local seen numbers
    run_engine /run/cgtide.toml "$1" "$WINDOW"
    stop_engine
    seen=$(grep -o 'regions: .*' "$ENGINE_LOG" | tail -n 1)
    step "$seen"
    read -ra numbers <<<"${seen//[!0-9 ]/}"
    note side '"cgtide"' count "$1" round "$2" cpu_us "$CPU" workers_us "$WORKERS" wall_us "$ELAPSED" rss_kib "$RSS" \
        told "${numbers[0]}" lost "${numbers[1]}" in_commit "${numbers[2]}" other "$((numbers[3] + numbers[4]))"
}

tracing() {
    [[ -s /run/damo/damon.data ]] && pgrep '^perf' || ! kill -0 "$DAMO_PID"
}

damo_has_ended() { ! kill -0 "$DAMO_PID"; }

# end_damo: asks damo to end, which makes a record of the trace, and sets CONVERSION: what that has cost, and ENDED: whether that was all.
# Of 400 containers it takes many minutes, and damo was seen to stand still there, in the emulated machine: after CONVERSION_SECONDS it is
# broken off, and what it has cost until then counts. So damo is told cheaper than it is, never dearer.
end_damo() {
    local before deadline=$((SECONDS + CONVERSION_SECONDS))
    before=$(group_cpu damo)
    kill -INT "$DAMO_PID"
    ENDED=true
    until damo_has_ended 2>/dev/null; do
        if ((SECONDS >= deadline)); then
            ENDED=false
            break
        fi
        sleep 0.5
    done
    CONVERSION=$(($(group_cpu damo) - before))
    [[ $ENDED == true ]] || break_off_damo
    wait "$DAMO_PID" || true
}

# break_off_damo: as damo ends, without the record.
break_off_damo() {
    echo 1 >"$CGROUPS/damo/cgroup.kill"
    wait_for 60 grep -q 'populated 0' "$CGROUPS/damo/cgroup.events"
    [[ $(<"$KDAMONDS/nr_kdamonds") == 0 ]] || echo off >"$KDAMONDS/0/state"
    echo 0 >"$KDAMONDS/nr_kdamonds"
}

# measure_damo COUNT ROUND: damo does nothing but record accesses; its child tasks and profiles are off. What it does at the end is by
# the length of the record, and so is its share for the window.
measure_damo() {
    local begin cpu workers window start
    rm -rf /run/damo
    mkdir -p /run/damo "$CGROUPS/damo"
    jq -Rs --argjson least "$(($1 * LEAST_REGIONS))" --argjson most "$(($1 * MOST_REGIONS))" '{kdamonds: [{contexts: [{
        ops: "vaddr", intervals: {sample_us: "50 ms", aggr_us: "1 s", ops_update_us: "1 s"},
        nr_regions: {min: $least, max: $most}, schemes: [],
        targets: [split("\n")[] | select(. != "") | {pid: tonumber, regions: []}]}]}]}' /run/pids >/run/damo/kdamonds.json
    (
        echo "$BASHPID" >"$CGROUPS/damo/cgroup.procs"
        cd /run/damo
        exec damo record --do_record access --exclude_child_tasks kdamonds.json
    ) >/out/damo.log 2>&1 &
    DAMO_PID=$!
    wait_for 400 tracing
    kill -0 "$DAMO_PID" || fail "damo ended: $(tail -n 20 /out/damo.log)"
    start=$(now_us)
    sleep 2
    begin=$(now_us) cpu=$(group_cpu damo) workers=$(kdamond_cpu)
    sleep "$WINDOW"
    window=$(($(now_us) - begin))
    cpu=$(($(group_cpu damo) - cpu)) workers=$(($(kdamond_cpu) - workers))
    start=$(($(now_us) - start))
    end_damo
    rmdir "$CGROUPS/damo"
    note side '"damo"' count "$1" round "$2" cpu_us "$cpu" workers_us "$workers" wall_us "$window" conversion_us "$CONVERSION" \
        conversion_ended "$ENDED" record_us "$start" record_bytes "$(stat -c %s /run/damo/damon.data)"
}

# measure_loop SIDE ROUND FILE...: the C loop reads these of each group.
measure_loop() {
    local side=$1 round=$2 loop begin cpu
    shift 2
    mkdir -p "$CGROUPS/loop"
    (
        echo "$BASHPID" >"$CGROUPS/loop/cgroup.procs"
        ulimit -n 8192
        exec monitor_cost_loop "$PERIOD" "$CGROUPS/fleet" "$@"
    ) >/run/loop &
    loop=$!
    wait_for 60 grep -qx "$((COUNTER_GROUPS * $#))" /run/loop
    sleep "$((PERIOD * 2))"
    between_periods
    begin=$(now_us) cpu=$(group_cpu loop)
    sleep "$((PERIOD * WHOLE_PERIODS - PERIOD / 2))"
    between_periods
    cpu=$(($(group_cpu loop) - cpu))
    note side "\"$side\"" count "$COUNTER_GROUPS" round "$round" cpu_us "$cpu" wall_us "$(($(now_us) - begin))"
    kill "$loop"
    wait "$loop" || true
    rmdir "$CGROUPS/loop"
}

# measure_counters ROUND: the engine without idle times, then the loop on the same groups: memory.stat alone, and all that the engine reads.
measure_counters() {
    run_engine /run/counters.toml "$COUNTER_GROUPS" "$((PERIOD * WHOLE_PERIODS - PERIOD / 2))"
    stop_engine
    note side '"counters"' count "$COUNTER_GROUPS" round "$1" cpu_us "$CPU" wall_us "$ELAPSED"
    measure_loop loop "$1" memory.stat
    measure_loop loop_same_files "$1" memory.current memory.stat memory.events memory.swap.current memory.pressure io.pressure
}

printf '[idle]\nsensor = "regions"\n[damon]\ntakeover = "never"\n' >/run/counters.toml
# damo's interval is fixed, too.
printf '[idle]\nsensor = "regions"\n[damon]\nsample = "50ms"\n' >/run/cgtide.toml
rm -f "$RESULTS"
# The module would take DAMON back between the two sides.
[[ ! -e $DAMON_STAT ]] || echo N >"$DAMON_STAT"
for count in "${COUNTS[@]}"; do
    step "$count containers"
    if ((count == 0)); then
        # Who has DAMON keeps the engine from it: counters are left.
        [[ ! -e $DAMON_STAT ]] || echo Y >"$DAMON_STAT"
        start_fleet "$COUNTER_GROUPS"
        for ((round = 1; round <= ROUNDS; round++)); do
            measure_counters "$round"
        done
        [[ ! -e $DAMON_STAT ]] || echo N >"$DAMON_STAT"
    else
        start_fleet "$count"
        for ((round = 1; round <= ROUNDS; round++)); do
            measure_engine "$count" "$round"
            measure_damo "$count" "$round"
        done
    fi
    stop_fleet
done
step "done"
