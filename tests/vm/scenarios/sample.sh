#!/bin/bash
# DAMON's workers look less often where they would pass their budget, and idle ages go on without a break

# shellcheck source=tests/vm/guest/lib.sh
. /vm/guest/lib.sh

readonly HOT=16 COLD=48 MIB=$((1024 * 1024)) DAMON=/sys/kernel/mm/damon/admin/kdamonds
readonly SAMPLE=$DAMON/0/contexts/0/monitoring_attrs/intervals/sample_us

view() { cgtide idle web --json; }
watched_for() { view | jq -e --argjson seconds "$1" '.idle.source == "regions" and .idle.watched_us >= $seconds * 1e6'; }
looks_each() { [[ $(<"$SAMPLE") == "$1" ]]; }

# oldest: how long the longest idle region has been idle, in microseconds.
oldest() { cgtide regions web --json | jq '[.spaces[].regions[].idle_us] | max'; }

# told_each MICROSECONDS: whether regions are told with that interval, and with no more uses than looks.
told_each() {
    cgtide regions web --json | jq -e --argjson sample "$1" '.sample_us == $sample
        and ([.spaces[].regions[].accesses] | max) <= .aggregation_us / $sample'
}

# cold_is_right: whether the bytes idle for 10 s are within 5 % of the truth; unsure ones make up for what is missing.
cold_is_right() {
    view | jq -e --argjson truth "$((COLD * MIB))" '.idle.cold[] | select(.age_us == 10000000)
        | .anon_bytes <= $truth * 1.05 and .anon_bytes + .unsure_bytes >= $truth * 0.95'
}

# start_with SETTING...: the engine with these in [damon].
start_with() {
    printf '[idle]\nsensor = "regions"\n[damon]\n' >/run/cgtide.toml
    printf '%s\n' "$@" >>/run/cgtide.toml
    start_engine --config /run/cgtide.toml
}

before=$(damon_state)
make_rootfs /run/rootfs
make_bundle /run/web web /run/rootfs /sample/web '{"cgtide.io/apps": "stat", "cgtide.io/name": "web"}' -- \
    /bin/cgtide-workload --hot "${HOT}MiB" --cold "${COLD}MiB" --pause-us 20000 --report /out/web.jsonl
add_hooks /run/web

step "a budget that nothing keeps to"
start_with 'cpu = "0%"'
runtime_create_start web /run/web
wait_for 60 has_event /out/web.jsonl populated
wait_for 60 test -e "$SAMPLE"
wait_for 120 looks_each 200000
wait_for 10 grep -q 'look each 100 ms from now on, no longer each 50 ms' "$ENGINE_LOG"
wait_for 10 grep -q 'look each 200 ms from now on, no longer each 100 ms' "$ENGINE_LOG"
wait_for 30 told_each 200000
cgtide doctor --json | jq -e '.capabilities[] | select(.name == "idle times by regions") | .detail | endswith("a look each 200 ms")' >/dev/null ||
    fail "doctor does not say how often workers look: $(cgtide doctor)"

step "ages from before"
wait_for 120 watched_for 45
old=$(oldest) watched=$(view | jq .idle.watched_us)
step "watched for $watched us, idle for $old us at most"
((old >= watched - 10000000)) || fail "ages have begun anew"
wait_for 60 cold_is_right
view | jq -c '.idle.cold[] | select(.age_us == 10000000)'
cgtide regions web
stop_engine
[[ $(damon_state) == "$before" ]] || fail "DAMON is not as before: $(damon_state)"

step "a fixed interval"
start_with 'cpu = "0%"' 'sample = "100ms"'
wait_for 60 test -e "$SAMPLE"
looks_each 100000 || fail "the interval is $(<"$SAMPLE") us"
wait_for 120 watched_for 15
told_each 100000 >/dev/null || fail "regions are not told as of looks each 100 ms"
looks_each 100000 || fail "a fixed interval has become $(<"$SAMPLE") us"
stop_engine

runtime_stop web
runtime_delete web
! dmesg | grep -i 'type=1326' || fail "the sandbox denied a system call"
step "done"
