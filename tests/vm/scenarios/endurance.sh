#!/bin/bash
# Apps attached and detached 1,000 times under load leave nothing behind, and a container beside them keeps its history. Argument: TIMES

# shellcheck source=tests/vm/guest/lib.sh
. /vm/guest/lib.sh

readonly TIMES=${1:-1000} DAMON=/sys/kernel/mm/damon PARTS=4
readonly GROWTH_KIB=256 AGGREGATION_US=1000000

# make_container NAME ANNOTATIONS HOT COLD
make_container() {
    make_bundle "/run/$1" "$1" /run/rootfs "/endurance/$1" "$2" -- \
        /bin/cgtide-workload --hot "$3" --cold "$4" --pause-us 20000 --report "/out/$1.jsonl"
    add_hooks "/run/$1"
    runtime_create_start "$1" "/run/$1"
    wait_for 60 has_event "/out/$1.jsonl" populated
}

# damon_shape: the folders of DAMON's tree, and how many schemes and targets each worker has.
damon_shape() {
    find "$DAMON" -type d | sort
    find "$DAMON" '(' -name nr_schemes -o -name nr_targets ')' -print0 | sort -z | xargs -0 grep -H ''
}
# has_targets COUNT: of processes; the engine's own pid holds the seats that nobody has.
has_targets() { (($(find "$DAMON" -name pid_target -exec cat {} + | grep -cvx "$ENGINE_PID") == $1)); }

readonly PARENTS="^$CGROUPS/endurance(/memory[^/]*)?\$" # files of the containers' parent
open_files() { find "/proc/$ENGINE_PID/fd" -printf '%l\n'; }
# descriptors: the fewest of some readings, for the engine opens files while it works. Those of the
# containers' parent come and go with what is read seldom.
descriptors() {
    for _ in {1..20}; do
        open_files | grep -cvE "$PARENTS"
        sleep 0.1
    done | sort -n | head -n 1
}
# VmRSS may be off by as much as a leak here would be.
heap_kib() { awk '$1 == "Anonymous:" { print $2 }' "/proc/$ENGINE_PID/smaps_rollup"; }
state_files() { find /run/cgtide | sort; }
view() { cgtide idle busy --json | jq -c '.idle | {watched_us, processes, source, p90: .percentiles_us[90]}'; }
is_watched() { cgtide idle "$1" --json | jq -e --argjson seconds "$2" '.idle.watched_us >= $seconds * 1e6'; }
# is_newer VIEW: whether the view of now was made after that one.
is_newer() { [[ $(view | jq .watched_us) != "$(jq .watched_us <<<"$1")" ]]; }
apps() { cgtide ps --json | jq -c '[.containers[] | {name, apps}] | sort'; }
history_times() { cgtide stat busy --history --json | jq -c '[.points[].at_ms]'; }
now_us() { awk '{ printf "%d", $1 * 1e6 }' /proc/uptime; }

# cycle TIMES: reclaim beside stat on the one, and stat on another that makes it join DAMON's targets; then once for
# as long as it takes to join and to leave.
cycle() {
    python3 /vm/guest/attach.py "$ENGINE_SOCKET" "$1" busy:reclaim comes:stat || fail "attach and detach"
    expect "attach" cgtide attach comes stat
    wait_for 60 has_targets 2
    expect "detach" cgtide detach comes stat
    wait_for 60 has_targets 1
}

start_engine --config /etc/cgtide/cgtide.toml
make_rootfs /run/rootfs
make_container busy '{"cgtide.io/apps": "stat"}' 16MiB 48MiB
make_container comes '{"cgtide.io/name": "comes"}' 4MiB 4MiB
wait_for 150 is_watched busy 30

# What is made on first use is no leak.
cycle $((TIMES / 10))
shape=$(damon_shape) files=$(descriptors) before=$(view) apps=$(apps) state=$(state_files) past=$(history_times)
wait_for 30 is_newer "$before"
before=$(view) begin=$(now_us)
step "before: $files descriptors, $(heap_kib) KiB, $before, apps $apps"
for ((part = 1; part <= PARTS; part++)); do
    cycle $((TIMES / PARTS))
    heap[part]=$(heap_kib)
    step "part $part: ${heap[part]} KiB, $(view)"
done
after=$(view)
wait_for 30 is_newer "$after"
after=$(view) elapsed=$(($(now_us) - begin))
growth=$((heap[PARTS] - heap[PARTS / 2])) left=$(descriptors)
step "after $TIMES times in $((elapsed / 1000000)) s: $left descriptors, $growth KiB more than halfway, $after"

[[ $(apps) == "$apps" && $apps == *'{"name":"busy","apps":["stat"]}'* && $apps == *'{"name":"comes","apps":[]}'* ]] ||
    fail "apps were $apps, are $(apps)"
((left <= files)) || fail "descriptors: $files, now $left"
held=$(open_files | grep -cE "$PARENTS") || true
((held <= 16)) || fail "$held descriptors of the containers' parent are open"
((growth <= GROWTH_KIB)) || fail "the engine grew by $growth KiB in the second half"
[[ $(state_files) == "$state" ]] || fail "files: $(diff <(echo "$state") <(state_files))"
[[ $(damon_shape) == "$shape" ]] || fail "DAMON's tree changed: $(diff <(echo "$shape") <(damon_shape))"
[[ $shape == *nr_schemes:* && $shape != *nr_schemes:[1-9]* ]] || fail "a scheme: $shape"
# Views come every few seconds, so that both are compared by their own times.
jq -en --argjson a "$before" --argjson b "$after" --argjson slack $((2 * AGGREGATION_US)) '
    ($b.watched_us - $a.watched_us) as $passed | $passed > 0 and $b.processes == $a.processes
    and $b.source == "regions" and ($b.p90 - $a.p90 - $passed | fabs) <= $slack' >/dev/null ||
    fail "idle times were lost: $before, $after"
(($(jq .watched_us <<<"$after") - $(jq .watched_us <<<"$before") >= elapsed - 15 * AGGREGATION_US)) ||
    fail "the container was not watched all the time"
jq -en --argjson a "$past" --argjson b "$(history_times)" '
    ($a | length) > 0 and ($b | length) > ($a | length) and $b[:($a | length)] == $a' >/dev/null ||
    fail "the past was $past, is $(history_times)"
for name in busy comes; do
    runtime_stop "$name"
    runtime_delete "$name"
done
stop_engine
! dmesg | grep -i 'type=1326' || fail "the sandbox denied a system call"
step "done"
