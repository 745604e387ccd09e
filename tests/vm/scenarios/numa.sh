#!/bin/bash
# App numa: memory of a container that is bound to the CPUs of one node comes to that node, others' stays

# shellcheck source=tests/vm/guest/lib.sh
. /vm/guest/lib.sh
# shellcheck source=tests/vm/guest/nodes.sh
. /vm/guest/nodes.sh

readonly BOUND='{"cgtide.io/apps": "stat,numa", "cgtide.io/profile": "eager", "cgtide.io/reclaim.idle": "10s"}'

# is_on ID KIND NODE MIB: whether nine tenths of a workload's hot or cold memory are on a node.
is_on() {
    (($(last_sample "/out/$1.jsonl" "$2_nodes[$3] // 0") >= $4 * MIB * 9 / 10))
}

# start_bound ID CGROUP ANNOTATIONS ARG...: a workload that is bound to the CPU of node 1, with its memory on node 0.
start_bound() {
    local id=$1 group=$2 annotations=$3
    shift 3
    make_bundle "/run/$id" "$id" /run/rootfs "$group" "$annotations" -- \
        /bin/cgtide-workload --sample 1s --report "/out/$id.jsonl" --hot-node 0 --cold-node 0 "$@"
    jq '.linux.resources.cpu.cpus = "1"' "/run/$id/config.json" >"/run/$id/config.new"
    mv "/run/$id/config.new" "/run/$id/config.json"
    add_hooks "/run/$id"
    runtime_create_start "$id" "/run/$id"
    wait_for 120 has_event "/out/$id.jsonl" populated
}

[[ $NUMA == cpus ]] || fail "this takes two NUMA nodes with a CPU each: --numa-cpus"
echo 0 >/proc/sys/kernel/numa_balancing
grant_web '"stat", "numa"'
make_rootfs /run/rootfs
start_engine --config /run/cgtide.toml

step "a container that may run anywhere, and one that is bound and not annotated"
start_workload free /web/free "$BOUND" --hot 8MiB --hot-node 0 --cold 8MiB --cold-node 1
start_bound plain /plain/plain '{}' --hot 8MiB --cold 8MiB

step "one that is bound to the CPU of node 1, with its memory on node 0"
start_bound bound /web/bound "$BOUND" --hot 32MiB --cold 48MiB
begin=$SECONDS
wait_for 90 is_on bound hot 1 32
wait_for 90 is_on bound cold 1 48
step "at home after $((SECONDS - begin)) s"
wait_for 60 told bound at-home
cgtide explain bound --last 8

step "what is free to run anywhere stays where it is, and that is said; so does a stranger's"
wait_for 30 told free unbound
(($(bytes_moved free) == 0)) || fail "pages of a container that is not bound moved"
(($(bytes_moved plain) == 0)) || fail "pages of a container without annotation moved"
expect "it moved twice" test "$(last_sample /out/bound.jsonl thrash_bytes)" = 0

step "the engine is killed in the midst of a move: nothing moves after two periods"
start_bound killed /web/killed "$BOUND" --hot 160MiB
wait_for 60 has_moved killed "$MIB"
kill -KILL "$ENGINE_PID"
wait "$ENGINE_PID" || true
has_moved killed $((150 * MIB)) && fail "the move was over before the engine was killed"
moves_no_more killed
step "done"
