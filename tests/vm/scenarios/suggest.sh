#!/bin/bash
# What cgtide suggests after five minutes, held against docs/apps/stat.md's formulas over the history it tells, and the kernel's peak

# shellcheck source=tests/vm/guest/lib.sh
. /vm/guest/lib.sh

readonly MIB=$((1024 * 1024)) HOT_MIB=24 COLD_MIB=40 LEAST_US=300000000

suggestion() { cgtide suggest web --json | jq -e '.suggestion' >/run/suggestion; }
# A point may come between the two.
is_of_the_same_points() {
    suggestion
    cgtide stat web --history --json >/run/history
    jq -e --slurpfile told /run/suggestion '(.points | length) == $told[0].points' /run/history
}

cat >/run/cgtide.toml <<'TOML'
[profile.eager]
cpu = "60%"
[[grant]]
cgroup = "/suggest"
profiles = ["default", "eager"]
TOML
start_engine --config /run/cgtide.toml
make_rootfs /run/rootfs
make_bundle /run/web web /run/rootfs /suggest/web \
    '{"cgtide.io/apps": "stat,reclaim", "cgtide.io/profile": "eager", "cgtide.io/reclaim.idle": "10s"}' -- \
    /bin/cgtide-workload --hot "${HOT_MIB}MiB" --cold "${COLD_MIB}MiB" --pause-us 20000 --report /out/web.jsonl
add_hooks /run/web
runtime_create_start web /run/web
wait_for 60 has_event /out/web.jsonl populated

step "before five minutes are known"
status=0
cgtide suggest web --json >/run/early 2>&1 || status=$?
cat /run/early
((status == 1)) || fail "status $status"
grep -q no-history /run/early || fail "not refused for that"

step "after"
wait_for 450 suggestion
wait_for 30 is_of_the_same_points
cgtide suggest web
jq -c . /run/suggestion
jq -e --slurpfile told /run/suggestion '
    def mib: floor / 1048576 | ceil * 1048576;
    $told[0] as $told
    | [.points[] | .working_set_bytes + .unseen_bytes + (.refaults_per_second * 60 * 4096 | floor)] as $needs
    | ($needs | sort | .[($needs | length) * 0.95 | ceil - 1] * 1.10 | mib) as $request
    | ([([.points[].usage_bytes] | max * 1.20 | mib), $request] | max) as $limit
    | {$request, $limit} | debug | $told.request_bytes == $request and $told.limit_bytes == $limit' \
    /run/history >/dev/null || fail "the history says otherwise"
jq -e --argjson hot $((HOT_MIB * MIB)) --argjson all $(((HOT_MIB + COLD_MIB) * MIB)) --argjson least "$LEAST_US" \
    --argjson peak "$(<"$CGROUPS/suggest/web/memory.peak")" '
    .window_us >= $least and .window_us < $least + 60e6 and .confidence == "low"
    and .request_bytes > $hot * 1.1 and .limit_bytes >= .request_bytes
    and .highest_usage_bytes >= $all and .highest_usage_bytes <= $peak' /run/suggestion >/dev/null ||
    fail "not what the container was seen to have"

runtime_stop web
runtime_delete web
stop_engine
! dmesg | grep -i 'type=1326' || fail "the sandbox denied a system call"
step "done"
