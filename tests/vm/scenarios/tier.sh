#!/bin/bash
# Memory tiers: hot memory on the slow node comes to the fast one, cold memory leaves it, others' stays. Argument: the mover, auto, damos or memory.reclaim

# shellcheck source=tests/vm/guest/lib.sh
. /vm/guest/lib.sh
# shellcheck source=tests/vm/guest/nodes.sh
. /vm/guest/nodes.sh

readonly MOVER=${1:-auto}
readonly TIER='{"cgtide.io/apps": "stat,tier", "cgtide.io/profile": "eager", "cgtide.io/reclaim.idle": "10s"}'

# file_is_slow ID BYTES: whether so much of the container's page cache is on the slow node.
file_is_slow() {
    (($(sed -n 's/^file .*N1=\([0-9]*\).*/\1/p' "$CGROUPS/web/$1/memory.numa_stat") >= $2))
}

moved_of() {
    cgtide tier --json | jq -e ".uses[] | select(.name == \"$1\") | .share.promoted_bytes > 0 and .share.demoted_bytes > 0"
}

echo 0 >/proc/sys/kernel/numa_balancing
# Two periods are to be long enough to see what is not used for 10 s.
[[ $MOVER != damos ]] || PERIOD=6
# An administrator's choice; swap, which there is at first, keeps memory.reclaim from it.
[[ $MOVER != memory.reclaim ]] || echo 1 >/sys/kernel/mm/numa/demotion_enabled
grant_web '"stat", "tier", "reclaim"' 'low = "80%"' '[tier]' "mover = \"$MOVER\""
bad=0
make_rootfs /run/rootfs
start_engine --config /run/cgtide.toml

# movers ID: by what a container's memory went down, each once.
movers() {
    cgtide explain "$1" --last 200 --json |
        jq -r '[.entries[] | select(.acted and .reason == "demoting") | .actuator] | unique[]'
}

step "the tiers are told"
cgtide tier
expect "no second tier" sh -c 'cgtide tier --json | jq -e ".flat == null and (.tiers | length) == 2"'
cgtide doctor | grep -A3 "memory tiers"
[[ $MOVER != damos ]] || expect "DAMON does not move" sh -c 'cgtide doctor | grep -A2 "DAMOS migrate"'

step "a hot set on the slow node, cold memory on the fast one, and a stranger with both"
start_workload plain /plain/plain '{}' --hot 16MiB --hot-node 1 --cold 16MiB --cold-node 0
start_workload main /web/main "$TIER" --hot 48MiB --hot-node 1 --cold 64MiB --cold-node 0
(($(head -n 1 /out/main.jsonl | jq '.hot_nodes[1]') >= 48 * MIB * 95 / 100)) || fail "the hot set did not begin on the slow node"
begin=$SECONDS
# DAMON's own regions find less, later.
limit=$([[ $MOVER == damos ]] && echo 300 || echo 120)
wait_for "$limit" hot_is_fast main 48
wait_for "$limit" cold_is_slow main 64
step "placed after $((SECONDS - begin)) s"
cgtide tier
cgtide explain main --last 60

if [[ $MOVER == memory.reclaim ]]; then
    step "while there is swap, memory moves by address; without it the kernel demotes what is idle, and nothing else of the container goes"
    [[ $(movers main) == move_pages ]] || fail "memory.reclaim has demoted beside swap"
    swapoff -a
    dd if=/dev/urandom of=/out/second.cache bs=1M count=16 status=none
    start_workload second /web/second "$TIER" --hot 16MiB --hot-node 0 --cold 48MiB --cold-node 0
    sync
    echo 1 >/proc/sys/vm/drop_caches
    sh -c "echo \$\$ >$CGROUPS/web/second/cgroup.procs; exec taskset -c 0 cat /out/second.cache" >/dev/null
    cached=$(sed -n 's/^file //p' "$CGROUPS/web/second/memory.stat")
    ((cached >= 15 * MIB)) || fail "the page cache is somebody else's"
    wait_for 120 cold_is_slow second 48
    wait_for 60 hot_is_fast second 16
    cgtide explain second --last 10
    movers second | grep -x memory.reclaim || fail "the kernel did not demote"
    told=$(cgtide explain second --last 200 --json |
        jq '[.entries[] | select(.actuator == "memory.reclaim") | .outcome.taken_bytes // 0] | add')
    ((told >= 8 * MIB)) || fail "only $told bytes went down by the kernel"
    (($(sed -n 's/^pgdemote_proactive //p' "$CGROUPS/web/second/memory.stat") * 4096 >= told)) || fail "the kernel counts less than was told"
    (($(sed -n 's/^file //p' "$CGROUPS/web/second/memory.stat") >= cached * 9 / 10)) || fail "page cache was dropped"
fi

step "the stranger's pages stay where they were"
(($(last_sample /out/plain.jsonl moved_bytes) == 0)) || fail "pages of a container without annotation moved"

step "no page thrashes"
(($(last_sample /out/main.jsonl thrash_bytes) * 100 <= $(last_sample /out/main.jsonl moved_bytes))) ||
    fail "over 1 % of what moved did so twice within 10 s"
expect "nobody counts the moves" moved_of main

if [[ $MOVER == auto ]]; then
    step "others take of the reserve: nothing hot leaves to make it anew"
    # The reserve is over one and a half times the zones' high marks. The kernel frees page cache meanwhile: so again, until it has none.
    high=$(awk '$1 == "Node" { here = $2 == "0," } here && $1 == "high" { sum += $2 } END { print sum * 4096 }' /proc/zoneinfo)
    ballasts=()
    while (($(free_of 0) >= high * 3 / 2)); do
        rm -f /run/ballast
        python3 /vm/guest/ballast.py 0 $((high * 6 / 5 / MIB)) /run/ballast &
        ballasts+=($!)
        wait_for 60 test -s /run/ballast
        ((${#ballasts[@]} < 10)) || fail "$(free_of 0) bytes are free, whatever is locked"
        wait_for 60 has_samples main $(($(wc -l </out/main.jsonl) + 2))
    done
    wait_for 60 has_samples main $(($(wc -l </out/main.jsonl) + 6))
    cgtide tier
    step "with ${#ballasts[@]} ballasts $(free_of 0) bytes are left, and the high marks are $high"
    (($(on_node main hot 0) >= 48 * MIB * 95 / 100)) || fail "hot memory left for the reserve"
    kill "${ballasts[@]}"
    wait "${ballasts[@]}" || true

    step "page cache that one process maps goes down when it is cold, and stays when it is hot"
    start_workload mapper /web/mapper "$TIER" --hot 1MiB --file-hot /out/hot.cache 8MiB --file-cold /out/cold.cache 32MiB
    (($(sed -n 's/^file .*N0=\([0-9]*\).*/\1/p' "$CGROUPS/web/mapper/memory.numa_stat") >= 36 * MIB)) ||
        fail "the page cache did not begin on the fast node"
    wait_for 120 file_is_slow mapper $((28 * MIB))
    wait_for 60 has_samples mapper $(($(wc -l </out/mapper.jsonl) + 8))
    file_is_slow mapper $((34 * MIB)) && fail "hot page cache went down with the cold"
    runtime_delete mapper
    rm /out/hot.cache /out/cold.cache
fi

step "what a cpuset keeps on its node stays there, and that is said"
make_bundle /run/bound bound /run/rootfs /web/bound "$TIER" -- \
    /bin/cgtide-workload --sample 2s --report /out/bound.jsonl --hot 1MiB --cold 32MiB --cold-node 0
jq '.linux.resources.cpu.mems = "0"' /run/bound/config.json >/run/bound/config.new
mv /run/bound/config.new /run/bound/config.json
add_hooks /run/bound
runtime_create_start bound /run/bound
wait_for 90 has_event /out/bound.jsonl populated
wait_for 90 told bound unmovable
(($(last_sample /out/bound.jsonl moved_bytes) == 0)) || fail "pages left the nodes of their cpuset"
[[ $MOVER != memory.reclaim || $(movers bound) == move_pages ]] || fail "the kernel was asked for what a cpuset keeps"
runtime_delete bound

if [[ $MOVER == damos ]]; then
    step "page cache that no process maps goes down too, where its use can be seen"
    echo n >/sys/kernel/mm/lru_gen/enabled
    dd if=/dev/urandom of=/out/cache bs=1M count=48 status=none
    start_workload reader /web/reader "${TIER/\}/, \"cgtide.io/tier.fast\": \"0..8MiB\"\}}" --hot 4MiB
    sync
    echo 1 >/proc/sys/vm/drop_caches
    sh -c "echo \$\$ >$CGROUPS/web/reader/cgroup.procs; exec cat /out/cache" >/dev/null
    wait_for 240 file_is_slow reader $((36 * MIB))
    cgtide explain reader --last 4
    runtime_delete reader
    rm /out/cache
    echo y >/sys/kernel/mm/lru_gen/enabled
fi

step "LOW without a grant, and over what there is, are refused by name; HIGH below LOW is too"
for low in '90%..' '60%..20%' '10..x'; do
    id=bad$((++bad))
    by_hand "$id" "/web/$id" "{\"cgtide.io/apps\": \"stat,tier\", \"cgtide.io/tier.fast\": \"$low\"}"
    cgtide inspect "$id" --json | jq -e '.detail.faults[] | select(.key == "cgtide.io/tier.fast") | .message'
    expect "tier runs on $id" sh -c "cgtide ps --json | jq -e '.containers[] | select(.name == \"$id\") | .apps == [\"stat\"]'"
    kill -KILL "$!"
done
by_hand one /web/one '{"cgtide.io/apps": "stat,tier", "cgtide.io/tier.fast": "60%.."}'
by_hand two /web/two '{"cgtide.io/apps": "stat,tier", "cgtide.io/tier.fast": "60%.."}'
cgtide inspect two --json | jq -e '.detail.faults[].message | select(test("LOW of all containers"))' ||
    fail "two LOWs of 60 % are both protected"
cgtide ps --json | jq -e '.containers[] | select(.name == "one") | .apps == ["stat", "tier"]' ||
    fail "the first LOW was not kept"

last=main
if [[ $MOVER == memory.reclaim ]]; then
    step "the engine is killed in the midst of a demotion by the kernel"
    last=sinks
    start_workload sinks /web/sinks "$TIER" --hot 1MiB --cold 160MiB --cold-node 0
    wait_for 60 has_moved sinks "$MIB"
fi
step "the engine's end: nothing moves after it"
kill -KILL "$ENGINE_PID"
wait "$ENGINE_PID" || true
if [[ $MOVER == memory.reclaim ]]; then
    (($(sed -n 's/^pgdemote_proactive //p' "$CGROUPS/web/sinks/memory.stat") > 0)) || fail "it was not the kernel that demoted"
fi
moves_no_more "$last"
[[ $MOVER != memory.reclaim ]] || ! has_moved sinks $((150 * MIB)) || fail "the demotion was over before the engine was killed"
step "done"
