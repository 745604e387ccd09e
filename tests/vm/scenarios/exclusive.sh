#!/bin/bash
# Two apps on one container, which the kernel's own modules refuse; stat beside reclaim; DAMON left as it was found

# shellcheck source=tests/vm/guest/lib.sh
. /vm/guest/lib.sh

readonly MODULES=/sys/module KDAMONDS=/sys/kernel/mm/damon/admin/kdamonds
readonly SETTLED_SECONDS=60 AGGREGATION_US=1000000 FORECAST_MOST=$((4 * 1024 * 1024))

# enable_module NAME: prints what the kernel says to it.
enable_module() {
    (echo Y >"$MODULES/damon_$1/parameters/enabled") 2>&1 || true
}

# start_container NAME APPS: 32 MiB hot and 96 MiB cold, of which reclaim leaves 48.
start_container() {
    make_bundle "/run/$1" "$1" /run/rootfs "/pair/$1" "{
        \"cgtide.io/apps\": \"$2\", \"cgtide.io/profile\": \"eager\",
        \"cgtide.io/reclaim.idle\": \"10s\", \"cgtide.io/reclaim.keep\": \"80MiB\"}" -- \
        /bin/cgtide-workload --hot 32MiB --cold 96MiB --random 50 --pause-us 20000 \
        --report "/out/$1.jsonl"
    add_hooks "/run/$1"
    runtime_create_start "$1" "/run/$1"
}

has_settled() {
    cgtide idle both --json | jq -e --argjson s "$SETTLED_SECONDS" '.idle.watched_us >= $s * 1e6'
}

has_reclaimed() {
    cgtide explain both --json | jq -e '[.entries[] | select(.reason == "cold" and .outcome.taken_bytes > 0)] | length >= 3'
}

is_by_generations() {
    cgtide idle alone --json | jq -e '.idle | .source == "generations" and .choice == "only"'
}

# cold_times NAME FIRST: the idle times of its cold memory at percentiles FIRST and 95, less the time for which
# it has been watched: it was written before that, and never used since.
cold_times() {
    cgtide idle "$1" --json |
        jq -c --argjson first "$2" '.idle | [.percentiles_us[$first, 95] - .watched_us]'
}

if [[ -e $MODULES/damon_stat ]]; then
    step "the kernel's modules: DAMON_STAT is $(<"$MODULES/damon_stat/parameters/enabled")"
    said=$(enable_module reclaim)
    step "DAMON_RECLAIM beside it: ${said##*: }"
    [[ $said == *"busy"* ]] || fail "DAMON_RECLAIM started beside DAMON_STAT: $said"
    [[ $(<"$MODULES/damon_stat/parameters/enabled") == Y ]] || fail "DAMON_STAT went off"
fi
before=$(damon_files) # DAMON_RECLAIM fills in its region before it is refused

cat >/run/cgtide.toml <<'TOML'
[profile.eager]
cpu = "60%"
[[grant]]
cgroup = "/pair"
profiles = ["default", "eager"]
TOML
make_rootfs /run/rootfs
start_container alone stat
start_container both stat,reclaim
wait_for 60 has_event /out/alone.jsonl populated
wait_for 60 has_event /out/both.jsonl populated
start_engine --config /run/cgtide.toml
wait_for 180 has_settled
wait_for 120 has_reclaimed
step "stat and reclaim run on one container: $(cgtide ps --json | jq -c '[.containers[] | {name, apps}]')"
cgtide idle alone
cgtide idle both
# Hot are 25 of 100 bytes of the one, and 40 of the other.
without=$(cold_times alone 30)
with=$(cold_times both 50)
step "cold memory is told to be idle for $without us more than it was watched without reclaim, $with us beside it"
jq -en --argjson a "$without" --argjson b "$with" --argjson most "$AGGREGATION_US" '
    $b[0] >= $a[0] - $most and $b[1] <= $a[1] + $most' >/dev/null ||
    fail "reclaim changed what stat tells of the memory that stayed by more than an aggregation"

step "what would leave the one is what has left the other, and asking touches nothing"
before_asking=$(<"$CGROUPS/pair/alone/memory.swap.current")
forecast=$(cgtide what-if alone --idle 10s --json | jq '.what_if | .anon_bytes + .file_bytes')
gone=$(<"$CGROUPS/pair/both/memory.swap.current")
step "forecast $forecast bytes, gone $gone bytes"
((forecast > gone - FORECAST_MOST && forecast < gone + FORECAST_MOST)) || fail "the forecast is $forecast bytes, and $gone have left"
[[ $(<"$CGROUPS/pair/alone/memory.swap.current") == "$before_asking" ]] || fail "asking took memory out"

step "stopped"
stop_engine
is_as_before "after a stop"

step "killed and cleaned up"
start_engine --config /run/cgtide.toml
wait_for 60 grep -qx on "$KDAMONDS/0/state"
kill -KILL "$ENGINE_PID"
wait "$ENGINE_PID" || true
expect "cleanup" cgtided --cleanup
is_as_before "after a kill"

step "beside somebody else"
! [[ -e $MODULES/damon_stat ]] || echo N >"$MODULES/damon_stat/parameters/enabled"
pid=$(<"$CGROUPS/pair/alone/cgroup.procs")
pid=${pid%%$'\n'*}
echo 1 >"$KDAMONDS/nr_kdamonds"
echo 1 >"$KDAMONDS/0/contexts/nr_contexts"
echo vaddr >"$KDAMONDS/0/contexts/0/operations"
echo 1 >"$KDAMONDS/0/contexts/0/targets/nr_targets"
echo "$pid" >"$KDAMONDS/0/contexts/0/targets/0/pid_target"
echo on >"$KDAMONDS/0/state"
before=$(damon_files)
start_engine --config /run/cgtide.toml
wait_for 60 grep -q 'no idle times by regions' "$ENGINE_LOG"
step "$(grep 'no idle times by regions' "$ENGINE_LOG")"
wait_for 60 is_by_generations
cgtide idle alone
is_as_before "beside a stranger"
stop_engine
is_as_before "after a stop beside a stranger"
for name in alone both; do
    runtime_stop "$name"
    runtime_delete "$name"
done
! dmesg | grep -i 'type=1326' || fail "the sandbox denied a system call"
step "done"
