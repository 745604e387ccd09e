#!/bin/bash
# Page cache that read(2) alone uses, told by physical regions where the kernel lets its use be seen, and nothing claimed where not; then all of a container by them; DAMON as before at the end

# shellcheck source=tests/vm/guest/lib.sh
. /vm/guest/lib.sh

readonly MIB=$((1024 * 1024)) MGLRU=/sys/kernel/mm/lru_gen/enabled

# idle_is FILTER: whether the container's idle times are such.
idle_is() {
    cgtide idle web --json | jq -e ".idle | $1"
}

# file_cold AGE_US
file_cold() {
    cgtide idle web --json | jq --argjson age "$1" '.idle.cold[] | select(.age_us == $age) | .file_bytes'
}

# kdamonds: CPU time of DAMON's workers so far, in clock ticks.
kdamonds() {
    cat /proc/[0-9]*/stat 2>/dev/null | awk '$2 ~ /^\(kdamond/ { sum += $14 + $15 } END { print sum + 0 }'
}

# doctor_row: what cgtide doctor says of physical regions.
doctor_row() {
    cgtide doctor --json | jq -c '.capabilities[] | select(.name == "idle times by physical regions") |
        {present, detail}'
}

start_container() {
    make_bundle /run/web web /run/rootfs /physical/web '{
        "cgtide.io/apps": "stat", "cgtide.io/name": "web"}' -- \
        /bin/cgtide-layout --report /out/web.jsonl read:48MiB:hot:/out/data/hot \
        read:48MiB:never:/out/data/once anon:32MiB:never anon:16MiB:hot
    add_hooks /run/web
    runtime_create_start web /run/web
    wait_for 120 has_event /out/web.jsonl populated
}

before=$(damon_files)
mkdir -p /out/data
make_rootfs /run/rootfs
cp /usr/bin/cgtide-layout /run/rootfs/bin/
echo y >"$MGLRU"
start_engine --config /dev/null
start_container

step "with MGLRU nothing is claimed of page cache that read(2) uses"
hidden=mglru
[[ $KERNEL == newest ]] || hidden=unsupported
wait_for 120 idle_is ".source == \"regions\" and .page_cache == \"$hidden\" and
    .unseen_bytes >= 90 * $MIB and .watched_us >= 2e7"
cgtide idle web | grep 'page cache that no process maps is unseen' || fail "$(cgtide idle web)"
cgtide inspect web | grep 'coverage .*; page cache: ' || fail "$(cgtide inspect web)"
step "doctor: $(doctor_row)"
if [[ $KERNEL != newest ]]; then
    [[ $(doctor_row) == *'"present":false'* ]] || fail "the kernel has it: $(doctor_row)"
    echo n >"$MGLRU"
    wait_for 30 idle_is '.page_cache == "unsupported" and .unseen_bytes > 0'
    runtime_stop web
    stop_engine
    is_as_before "at the end"
    step "done"
    exit 0
fi

step "without MGLRU it is told"
echo n >"$MGLRU"
wait_for 120 idle_is '.source == "regions+physical" and .page_cache == "seen"'
ticks=$(kdamonds)
begin=$SECONDS
is_cold() { (($(file_cold 10000000) > 24 * MIB)); }
wait_for 120 is_cold
for _ in 1 2 3; do
    watched=$(cgtide idle web --json | jq .idle.watched_us)
    wait_for 30 idle_is ".watched_us >= $watched + 5e6" # another view
    cold=$(file_cold 10000000)
    step "file bytes idle for 10 s: $((cold / MIB)) MiB; of 48 that are cold and 48 that are read each second"
    ((cold < 60 * MIB)) || fail "what is read each second is told as cold: $(cgtide idle web)"
    idle_is "(.cold[] | select(.age_us == 10000000) | .file_bytes + .unsure_bytes) > 44 * $MIB" \
        >/dev/null || fail "cold is told as used: $(cgtide idle web)"
    idle_is ".unseen_bytes < 24 * $MIB" >/dev/null ||
        fail "it is unseen: $(cgtide idle web)"
done
cgtide idle web
step "kdamonds: $((($(kdamonds) - ticks) / (SECONDS - begin))) ticks a second; doctor: $(doctor_row)"

step "and not any more, once MGLRU is on again"
echo y >"$MGLRU"
wait_for 30 idle_is ".page_cache == \"mglru\" and .unseen_bytes >= 90 * $MIB"
stop_engine
is_as_before "after the first engine"

step "all of the container by physical regions"
echo n >"$MGLRU"
printf '[idle]\nsensor = "physical"\n' >/run/physical.toml
start_engine --config /run/physical.toml
wait_for 120 idle_is '.source == "physical" and .choice == "configured" and .watched_us >= 2e7'
cgtide idle web
idle_is '.seen_bytes >= 0.8 * .charged_bytes' >/dev/null || fail "it is unseen: $(cgtide idle web)"
cgtide inspect web | grep 'source  *physical' || fail "inspect: $(cgtide inspect web)"

step "killed and cleaned up"
kill -KILL "$ENGINE_PID"
wait "$ENGINE_PID" || true
expect "cleanup" cgtided --cleanup
is_as_before "after a kill"
runtime_stop web
runtime_delete web
! dmesg | grep -i 'type=1326' || fail "the sandbox denied a system call"
step "done"
