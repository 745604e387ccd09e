#!/bin/bash
# The main job: of 32 MiB hot and 96 MiB cold the cold leaves and the hot stays; explain says why

# shellcheck source=tests/vm/guest/lib.sh
. /vm/guest/lib.sh

readonly REPORT=/out/reclaim.jsonl
readonly MIB=$((1024 * 1024))
readonly HOT=$((32 * MIB)) COLD=$((96 * MIB))

cold_is_out() {
    (($(last_sample "$REPORT" cold_resident) <= COLD * 20 / 100))
}

limits_of() {
    (cd "$CGROUPS/web/main" && grep -H . memory.{min,low,high,max,swap.max} 2>/dev/null)
}

nothing_is_registered() {
    [[ -z $(ls -A /run/cgtide/containers) ]]
}

listed() {
    cgtide ps --json | jq -e '.containers[] | select(.name == "main")'
}

cat >/run/cgtide.toml <<'TOML'
# The emulated machine is 10 to 30 times slower than hardware, and so is the kernel's reclaim.
[profile.eager]
cpu = "60%"
[[grant]]
cgroup = "/web"
profiles = ["default", "eager"]
TOML

step "starting cgtided, then the workload under $RUNTIME with a hook"
start_engine --config /run/cgtide.toml
rm -f "$REPORT"
make_rootfs /run/rootfs
make_rootfs /out/rootfs # what is on a tmpfs is no page cache
make_bundle /run/bundle main /out/rootfs /web/main '{
    "cgtide.io/apps": "stat,reclaim", "cgtide.io/profile": "eager",
    "cgtide.io/reclaim.idle": "10s", "cgtide.io/name": "main"}' -- \
    /bin/cgtide-workload --hot 32MiB --cold 96MiB --random 50 --sample 1s --report "$REPORT"
add_hooks /run/bundle
sync
echo 3 >/proc/sys/vm/drop_caches # so that main reads its program and is charged for it
runtime_create_start main /run/bundle
limits=$(limits_of)
expect "the hook registered nobody: $(cat /run/bundle/output "$ENGINE_LOG")" listed
wait_for 60 has_event "$REPORT" populated
populated=$SECONDS
program=$(memory_stat web/main file)
step "populated; $program bytes of its program are charged to it"
((program >= 64 * 1024)) || fail "it is charged for $program bytes of page cache, which its program is not"

step "killing the engine with SIGKILL while it works, and starting it again"
wait_for 60 grep -q 'cold_resident' "$REPORT"
kill -KILL "$ENGINE_PID"
wait "$ENGINE_PID" || true
started=$(awk '{ print $1 }' /proc/uptime)
start_engine --config /run/cgtide.toml
expect "the container was not adopted again" listed
step "adopted again $(awk -v from="$started" '{ printf "%.2f", $1 - from }' /proc/uptime) s after the start"

# Memory that a fork left shared is taken by the kernel's lists, where these can be asked for one kind.
if [[ $KERNEL == newest ]]; then
    step "a container whose processes share their memory since a fork"
    start_workload forked /web/forked '{"cgtide.io/apps": "stat,reclaim", "cgtide.io/profile": "eager", "cgtide.io/reclaim.idle": "10s"}' \
        --hot 4MiB --cold 24MiB --children 2
fi

wait_for 180 cold_is_out
step "$((100 - $(last_sample "$REPORT" cold_resident) * 100 / COLD)) % of the cold bytes are out $((SECONDS - populated)) s after they were populated"

step "watching the hot memory until 180 s after the population"
while ((SECONDS - populated < 180)); do
    sleep 2
done
cgtide ps
cgtide explain main --last 12
worst=$(jq -s --argjson hot "$HOT" 'map(select(.event == "sample") | $hot - .hot_resident) | max' "$REPORT")
final=$(last_sample "$REPORT" cold_resident)
step "cold out at the end: $(((COLD - final) * 100 / COLD)) %; hot out at worst: $worst bytes of $HOT"
((final <= COLD * 20 / 100)) || fail "only $((COLD - final)) of $COLD cold bytes are out"
((worst <= HOT * 5 / 100)) || fail "$worst of $HOT hot bytes were out at one sample"
# Each step knows what the one before has taken, and takes off no more: 6 MiB were lost to a look at what was leaving.
lost=$(cgtide explain main --json | jq '[.entries[] | select(.reason == "cold" and .outcome != null)] | . as $steps |
    [range(1; length) | $steps[. - 1].inputs.cold_bytes - $steps[. - 1].outcome.taken_bytes - $steps[.].inputs.cold_bytes] | max')
step "of what is cold at most $lost bytes more were taken off than had left"
((lost <= 4 * MIB)) || fail "$lost bytes that had not left were taken off what is cold"
# Whoever starts a program next needs what those that run have long done with: it does not leave as cold. What of its file nobody
# maps has no proven age, and may leave at that pace.
kept=$(memory_stat web/main file)
unproven=$(cgtide explain main --json | jq '[.entries[] | select(.reason == "reclaimed") | .outcome.taken_bytes] | add // 0')
step "of its program $kept bytes are in memory; $unproven bytes of unknown age have left"
((kept + unproven >= program * 9 / 10)) || fail "of $program bytes of its program only $kept are left in memory"

if [[ $KERNEL == newest ]]; then
    forked_is_out() { (($(last_sample /out/forked.jsonl cold_resident) <= 12 * MIB)); }
    wait_for 60 forked_is_out
    cgtide explain forked --last 12
    worst=$(jq -s 'map(select(.event == "sample" and .passes > 3) | .hot_bytes - .hot_resident) | max' /out/forked.jsonl)
    step "shared since a fork: $((24 - $(last_sample /out/forked.jsonl cold_resident) / MIB)) of 24 MiB cold are out; hot out at worst: $worst bytes"
    ((worst <= MIB)) || fail "$worst of 4 MiB hot were out at one sample"
    told forked cold >/dev/null || fail "explain lacks what was asked for"
    jq -e 'any(.entries[]; .reason == "cold" and .actuator == "memory.reclaim")' <(cgtide explain forked --json) >/dev/null ||
        fail "the kernel's lists were not asked"
    runtime_stop forked
    runtime_delete forked
fi

cgtide explain main --json >/out/explain.json
jq -e '[.entries[] | select(.reason == "cold")] | length >= 3 and
    all(.[:3][]; .actuator == "pageout" and .inputs.cold_bytes >= .inputs.ask_bytes and .outcome != null)' \
    /out/explain.json >/dev/null || fail "explain lacks reasons, inputs or outcomes: $(head -c 2000 /out/explain.json)"
[[ $limits == "$(limits_of)" ]] || fail "limits changed: $limits; now $(limits_of)"

step "ending the container"
runtime_stop main
runtime_delete main
wait_for 10 nothing_is_registered
cgtide ps --all
cgtide explain main --last 1
stop_engine
[[ ! -e $ENGINE_SOCKET && ! -d $CGROUPS/cgtide ]] || fail "socket or control group left behind"
! dmesg | grep -i 'type=1326' || fail "the sandbox denied a system call"
step "done"
