#!/bin/bash
# What may go wrong between memory tiers: subtrees, a full tier, pages that cannot move, ends in the midst of a move, a kernel that moves too, a node that goes. Argument: the mover, auto or damos

# shellcheck source=tests/vm/guest/lib.sh
. /vm/guest/lib.sh
# shellcheck source=tests/vm/guest/nodes.sh
. /vm/guest/nodes.sh

readonly MOVER=${1:-auto}
# DAMON's own regions find less, later; and two periods are to be long enough to see what is not used for 10 s.
PATIENCE=1
[[ $MOVER != damos ]] || { PATIENCE=3 PERIOD=6; }
readonly PROFILE='"cgtide.io/profile": "eager", "cgtide.io/reclaim.idle": "10s"'
readonly TIER="{\"cgtide.io/apps\": \"stat,tier\", $PROFILE}"
readonly BOTH="{\"cgtide.io/apps\": \"stat,tier,reclaim\", $PROFILE}"

# more_samples ID COUNT: waits until a workload has reported so often again.
more_samples() {
    wait_for 60 has_samples "$1" "$(($(wc -l <"/out/$1.jsonl") + $2))"
}

has_freed() {
    (($(free_of "$1") >= $2))
}

grant_web '"stat", "tier", "reclaim"' '[tier]' "mover = \"$MOVER\""
[[ $NUMA == yes ]] || fail "this takes two NUMA nodes: --numa"
echo 0 >/proc/sys/kernel/numa_balancing
make_rootfs /run/rootfs
start_engine --config /run/cgtide.toml

step "a container's subtree is moved with it"
start_workload outer /web/outer "$TIER" --hot 1MiB
outer=$CGROUPS/web/outer
mkdir "$outer/init"
xargs -n 1 -a "$outer/cgroup.procs" sh -c "echo \"\$0\" >$outer/init/cgroup.procs"
echo +memory >"$outer/cgroup.subtree_control"
mkdir -p "$outer/system"
echo +memory >"$outer/system/cgroup.subtree_control"
mkdir "$outer/system/service"
sh -c "echo \$\$ >$outer/system/service/cgroup.procs; exec cgtide-workload --sample 1s --report /out/service.jsonl \
    --hot 32MiB --hot-node 1 --cold 32MiB --cold-node 0" &
service=$!
wait_for 90 has_event /out/service.jsonl populated
wait_for $((90 * PATIENCE)) hot_is_fast service 32
wait_for $((90 * PATIENCE)) cold_is_slow service 32
kill -TERM "$service"
wait "$service"

step "huge pages and pages that pipes hold stay, and what is beside them moves"
echo 16 >/proc/sys/vm/nr_hugepages
start_workload beside /web/beside "$TIER" --hot 16MiB --hot-node 1
python3 /vm/guest/stuck.py web/beside 1 /out/stuck.jsonl &
stuck=$!
wait_for 90 has_event /out/stuck.jsonl sample
(($(last_sample /out/stuck.jsonl huge) == 16 * MIB && $(last_sample /out/stuck.jsonl piped) == 16 * MIB)) ||
    fail "what shall not move did not begin on its node: $(tail -n 1 /out/stuck.jsonl)"
wait_for $((90 * PATIENCE)) hot_is_fast beside 16
wait_for $((90 * PATIENCE)) told beside promoting
more_samples stuck 10
(($(last_sample /out/stuck.jsonl huge) == 16 * MIB)) || fail "huge pages moved"
(($(last_sample /out/stuck.jsonl piped) == 16 * MIB)) || fail "pages that a pipe holds moved"
kill -TERM "$stuck"
wait "$stuck" || true
runtime_delete beside
echo 0 >/proc/sys/vm/nr_hugepages

step "while the lower tier has room, what is cold goes there and is not paged out, where reclaim runs too"
start_workload first /web/first "$BOTH" --hot 1MiB --cold 48MiB --cold-node 0
wait_for $((90 * PATIENCE)) told first lower-tier
wait_for $((90 * PATIENCE)) cold_is_slow first 48
swapped_more_than first 0 && fail "memory was paged out though it could go down"
runtime_delete first

step "the lower tier is full: cold memory stays where tier alone runs, and is paged out where reclaim does too"
# What a move leaves free of a node is more than this.
python3 /vm/guest/ballast.py 1 48 /run/filled &
filler=$!
wait_for $((120 * PATIENCE)) test -s /run/filled
start_workload stays /web/stays "$TIER" --hot 1MiB --cold 48MiB --cold-node 0
start_workload leaves /web/leaves "$BOTH" --hot 1MiB --cold 48MiB --cold-node 0
wait_for $((90 * PATIENCE)) told stays tier-full
wait_for $((90 * PATIENCE)) swapped_more_than leaves $((24 * MIB)) # reclaim.keep stays
(($(last_sample /out/stays.jsonl moved_bytes) == 0)) || fail "pages moved to a full node"
cgtide explain leaves --last 6
kill -TERM "$filler"
wait "$filler" || true
step "... and has room again: cold memory goes down"
wait_for $((120 * PATIENCE)) cold_is_slow stays 48
runtime_delete leaves
runtime_delete stays

step "a container ends in the midst of a move: the engine goes on"
start_workload ends /web/ends "$TIER" --hot 160MiB --hot-node 1
wait_for $((60 * PATIENCE)) has_moved ends "$MIB"
has_moved ends $((150 * MIB)) && fail "the move was over before the container ended"
runtime_delete ends
kill -0 "$ENGINE_PID" || fail "the engine has ended with the container"
expect "the engine does not answer" cgtide tier
! grep -q 'ends.*error' "$ENGINE_LOG" || fail "$(grep 'ends.*error' "$ENGINE_LOG")"

step "the kernel balances too: that is said, and the hot set is in the fast tier all the same"
echo 2 >/proc/sys/kernel/numa_balancing
expect "doctor does not say that the kernel moves pages too" sh -c \
    'cgtide doctor --json | jq -e ".capabilities[] | select(.name == \"numa_balancing off\") | .present == false"'
start_workload both /web/both "$TIER" --hot 32MiB --hot-node 1
wait_for $((90 * PATIENCE)) hot_is_fast both 32
echo 0 >/proc/sys/kernel/numa_balancing
runtime_delete both

step "the engine is killed in the midst of a move: nothing moves after two periods"
start_workload killed /web/killed "$TIER" --hot 160MiB --hot-node 1
wait_for $((60 * PATIENCE)) has_moved killed "$MIB"
kill -KILL "$ENGINE_PID"
wait "$ENGINE_PID" || true
moves_no_more killed
has_moved killed $((150 * MIB)) && fail "the move was over before the engine was killed"
start_engine --config /run/cgtide.toml
step "... and the next engine goes on"
wait_for $((120 * PATIENCE)) hot_is_fast killed 160

step "the lower node goes: tier says that there are no tiers, and goes on when it is back"
for id in outer killed; do runtime_delete "$id"; done
offline=()
for block in /sys/devices/system/node/node1/memory[0-9]*; do
    if echo offline >"$block/state" 2>/dev/null; then offline+=("$block"); fi
done
step "${#offline[@]} blocks of the node are offline, $(free_of 1) bytes of it are left"
start_workload after /web/after "$TIER" --hot 8MiB --cold 16MiB --cold-node 0
if [[ -d /sys/devices/virtual/memory_tiering ]] && ! grep -qs '\b1\b' /sys/devices/virtual/memory_tiering/memory_tier*/nodelist; then
    wait_for $((60 * PATIENCE)) last_reason_is after no-tiers
fi
for block in "${offline[@]}"; do echo online >"$block/state"; done
wait_for $((120 * PATIENCE)) cold_is_slow after 16
stop_engine
step "done"
