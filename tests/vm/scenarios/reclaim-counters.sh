#!/bin/bash
# Where no sensor tells idle times, as on Linux 6.1, reclaim goes by counters alone: at its law's pace, with age unproven

# shellcheck source=tests/vm/guest/lib.sh
. /vm/guest/lib.sh

readonly REPORT=/out/reclaim-counters.jsonl ENTRIES=/out/entries.jsonl
readonly MIB=$((1024 * 1024))
readonly HOT=$((32 * MIB)) COLD=$((96 * MIB))
# What this kernel lacks, and what is there nevertheless, as cgtide doctor calls it.
readonly ABSENT='["MGLRU", "DAMON sysfs", "debugfs lru_gen", "idle times by regions",
    "idle times by physical regions", "idle times by generations",
    "memory.reclaim swappiness=", "memory.reclaim swappiness=max"]'
readonly PRESENT='["memory controller (v2)", "PSI", "swap", "memory.reclaim"]'

# rows_are PRESENT NAMES: whether doctor has each of the rows once, as present or as absent, and says why
# it is absent.
rows_are() {
    jq -e --argjson present "$1" --argjson names "$2" '.capabilities as $all | $names | all(. as $name
        | [$all[] | select(.name == $name)]
        | length == 1 and .[0].present == $present and ($present or .[0].detail != ""))' /out/doctor.json
}

# collect: keeps every entry of the journal, whose ring may be shorter than this scenario.
collect() {
    cgtide explain main --json | jq -c '.entries[]' >>"$ENTRIES"
}

cold_is_out() {
    collect
    (($(last_sample "$REPORT" cold_resident) <= COLD * 20 / 100))
}

has_reason() {
    cgtide explain "$1" --json | jq -e --arg reason "$2" '.entries[] | select(.reason == $reason)'
}

cat >/run/cgtide.toml <<'TOML'
# The emulated machine is 10 to 30 times slower than hardware, and so is the kernel's reclaim.
[profile.eager]
cpu = "60%"
[[grant]]
cgroup = "/web"
profiles = ["default", "eager"]
TOML

step "what cgtided finds"
rm -f "$REPORT" "$ENTRIES"
start_engine --config /run/cgtide.toml
cgtide doctor --json >/out/doctor.json || fail "something required is missing: $(cgtide doctor)"
if ! rows_are false "$ABSENT" >/dev/null || ! rows_are true "$PRESENT" >/dev/null; then
    fail "doctor tells another kernel: $(cgtide doctor)"
fi

step "starting a container with all pages, and one that wants file pages alone"
make_rootfs /run/rootfs
make_bundle /run/main main /run/rootfs /web/main '{
    "cgtide.io/apps": "stat,reclaim", "cgtide.io/profile": "eager",
    "cgtide.io/reclaim.idle": "10s", "cgtide.io/name": "main"}' -- \
    /bin/cgtide-workload --hot 32MiB --cold 96MiB --random 50 --sample 1s --report "$REPORT"
make_bundle /run/file file /run/rootfs /web/file '{
    "cgtide.io/apps": "reclaim", "cgtide.io/profile": "eager", "cgtide.io/reclaim.pages": "file",
    "cgtide.io/reclaim.idle": "10s", "cgtide.io/name": "file"}' -- \
    /bin/cgtide-workload --hot 1MiB --cold 31MiB --pause-us 100000 --report /out/file.jsonl
for name in main file; do
    add_hooks "/run/$name"
    runtime_create_start "$name" "/run/$name"
done
wait_for 60 has_event "$REPORT" populated
wait_for 60 has_event /out/file.jsonl populated
populated=$SECONDS

wait_for 60 has_reason file pages-unsupported
step "file pages alone cannot be asked for where there is swap: $(cgtide explain file --last 1 | sed -n 2p)"
wait_for 240 cold_is_out
step "$((100 - $(last_sample "$REPORT" cold_resident) * 100 / COLD)) % of the cold bytes are out $((SECONDS - populated)) s after they were populated"
cgtide explain main --last 4

worst=$(jq -s --argjson hot "$HOT" 'map(select(.event == "sample") | $hot - .hot_resident) | max' "$REPORT")
((worst <= HOT * 5 / 100)) || fail "$worst of $HOT hot bytes were out at one sample"
jq -se 'unique_by(.sequence) | map(select(.reason == "reclaimed"))
    | length > 10 and all(.[]; .text | endswith("; age: unproven"))' "$ENTRIES" >/dev/null ||
    fail "a request does not say that age is unproven: $(tail -n 3 "$ENTRIES")"
# Eager asks for at most 2 % of usage a period, and for 1 MiB where that is more.
jq -se --argjson mib "$MIB" 'map(select(.reason == "reclaimed"))
    | all(.[]; .inputs.ask_bytes <= ([.inputs.usage_bytes * 0.02, $mib] | max))' "$ENTRIES" >/dev/null ||
    fail "a request was for more than the profile's pace: $(grep '"reclaimed"' "$ENTRIES")"
cgtide explain file --json | jq -e '[.entries[] | select(.reason == "reclaimed")] == []' >/dev/null ||
    fail "the container with file pages alone was reclaimed"
cgtide inspect main | grep -Eq '^ +idle age +unproven$' || fail "inspect says: $(cgtide inspect main)"

step "no sensor tells idle times, and cgtide idle says so"
if told=$(cgtide idle main 2>&1); then
    fail "idle times without a sensor: $told"
fi
[[ $told == *no-idle-view* ]] || fail "cgtide idle says: $told"

step "stopping"
for name in main file; do
    runtime_stop "$name"
    runtime_delete "$name"
done
stop_engine
[[ ! -e $ENGINE_SOCKET && ! -d $CGROUPS/cgtide ]] || fail "socket or control group left behind"
! dmesg | grep -i 'type=1326' || fail "the sandbox denied a system call"
step "done"
