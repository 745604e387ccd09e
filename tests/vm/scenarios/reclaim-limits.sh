#!/bin/bash
# Where reclaim must stop: full swap, no swap, limits, OOM kills, hidden pressure, growth, clocks that jump, an engine that stands still

# shellcheck source=tests/vm/guest/lib.sh
. /vm/guest/lib.sh

readonly MIB=$((1024 * 1024))
readonly EAGER='{"cgtide.io/apps": "stat,reclaim", "cgtide.io/profile": "eager", "cgtide.io/reclaim.idle": "5s", "cgtide.io/reclaim.keep": "1MiB"}'

cat >/run/cgtide.toml <<'TOML'
[profile.eager]
cpu = "100%"
[[grant]]
cgroup = "/web"
profiles = ["default", "eager"]
TOML

# start ID ARG...: a container of the workload.
start() {
    start_workload "$1" "/web/$1" "$EAGER" "${@:2}"
}

file_is_under() {
    (($(memory_stat "web/$1" file) < $2))
}

# set_swap SIZE: the only swap of the node, made anew.
set_swap() {
    swapoff /dev/zram0
    echo 1 >/sys/block/zram0/reset
    echo "$1" >/sys/block/zram0/disksize
    mkswap /dev/zram0 >/dev/null
    swapon /dev/zram0
}

# in_cgroup GROUP COMMAND...: runs it there, in the background.
in_cgroup() {
    local group=$1
    shift
    mkdir -p "$CGROUPS/$group"
    # shellcheck disable=SC2016 # the inner shell's
    sh -c 'echo $$ >"$1/cgroup.procs"; shift; exec "$@"' sh "$CGROUPS/$group" "$@" &
}

swap_is_nearly_full() {
    awk '$1 == "SwapTotal:" { total = $2 } $1 == "SwapFree:" { free = $2 } END { exit !(free * 20 < total) }' \
        /proc/meminfo
}

fill_swap() {
    echo "4M swappiness=max" >"$CGROUPS/stranger/memory.reclaim" 2>/dev/null || true
    swap_is_nearly_full
}

# taken_from ID: bytes, and how many requests of those that are remembered took them.
taken_from() {
    cgtide explain "$1" --json | jq -c '[.container.taken_bytes, ([.entries[] | select(.acted)] | length)]'
}

# measured_anew ID: something was asked for, and then a period told nothing.
measured_anew() {
    cgtide explain "$1" --json | jq -e '[.entries[] | select(.reason != "young")] | map(.reason) |
        (map(. == "cold" or . == "reclaimed") | index(true)) as $first |
        $first != null and (.[$first:] | index("warming") != null)' >/dev/null
}

make_rootfs /run/rootfs
start_engine --config /run/cgtide.toml

step "a stranger fills swap: files leave, anonymous memory stays until the stranger ends"
set_swap 32M
in_cgroup stranger python3 -c 'import time
memory = bytearray(b"x") * (40 << 20)
while True: time.sleep(1)'
stranger=$!
wait_for 120 fill_swap
start files --hot 4MiB --cold 8MiB --file-cold /out/files.cold 24MiB
start full --hot 4MiB --cold 16MiB
sync
wait_for 90 last_reason_is full no-swap
wait_for 90 file_is_under files $((8 * MIB))
cgtide explain files --last 2
for id in full files; do
    (($(swap_of "$id") == 0)) || fail "$id: $(swap_of "$id") bytes were swapped"
done
kill "$stranger"
wait "$stranger" || true
wait_for 90 swapped_more_than full $((4 * MIB))
cgtide explain full --last 2
runtime_delete files
runtime_delete full
set_swap 512M

step "memory.swap.max of 0, a limit that is met, an OOM kill, hidden pressure: nothing leaves"
for id in capped limited killed blind; do
    start "$id" --hot 2MiB --cold 10MiB
done
echo 0 >"$CGROUPS/web/capped/memory.swap.max"
echo 0 >"$CGROUPS/web/blind/cgroup.pressure"
echo 0 >"$CGROUPS/web/limited/memory.swap.max"
echo "$(($(<"$CGROUPS/web/limited/memory.current") + MIB))" >"$CGROUPS/web/limited/memory.max"
# Page cache runs into the limit again and again, and is dropped for it.
dd if=/dev/urandom of=/out/limited.file bs=1M count=8 status=none
in_cgroup web/limited sh -c 'while cat /out/limited.file >/dev/null && sleep 2; do :; done'
reader=$!
echo 0 >"$CGROUPS/web/killed/memory.swap.max"
echo "$(($(<"$CGROUPS/web/killed/memory.current") + 8 * MIB))" >"$CGROUPS/web/killed/memory.max"
in_cgroup web/killed sh -c 'echo 1000 >/proc/self/oom_score_adj; exec python3 -c "bytearray(b\"x\") * (64 << 20)"'
wait $! || true
(($(awk '$1 == "oom_kill" { print $2 }' "$CGROUPS/web/killed/memory.events") > 0)) || fail "nothing was killed"
wait_for 30 last_reason_is limited after-oom
wait_for 30 last_reason_is killed after-oom
wait_for 30 last_reason_is blind sensor
wait_for 30 last_reason_is capped exhausted
# On a slow host some may have left before the limits were there.
declare -A out=() took=()
for id in capped limited killed blind; do
    out[$id]=$(swap_of "$id") took[$id]=$(taken_from "$id")
done
seconds_pass 8 # four periods
for id in capped limited killed blind; do
    (($(swap_of "$id") <= out[$id])) || fail "$id: $(($(swap_of "$id") - out[$id])) bytes were swapped"
    [[ $(taken_from "$id") == "${took[$id]}" ]] || fail "$id was asked for: ${took[$id]} bytes taken, then $(taken_from "$id")"
done
last_reason_is limited after-oom || fail "a container at its limit is reclaimed"
kill "$reader"
wait "$reader" || true
for id in capped limited killed blind; do
    runtime_delete "$id"
done

step "memory in use doubles within a second beside cold memory: what came stays, what is cold leaves"
start grows --hot 16MiB --cold 24MiB
wait_for 60 swapped_more_than grows $((8 * MIB))
in_cgroup web/grows python3 -c 'import pathlib, time
memory = bytearray(b"x") * (32 << 20)
while True:
    sum(memory[::4096])
    pathlib.Path("/run/grown").touch()
    time.sleep(0.05)'
grown=$!
wait_for 60 test -e /run/grown
wait_for 60 swapped_more_than grows $((18 * MIB))
swapped=$(awk '$1 == "VmSwap:" { print $2 }' "/proc/$grown/status")
left=$(jq -s 'map(select(.event == "sample") | .hot_bytes - .hot_resident) | max' /out/grows.jsonl)
step "$swapped KiB of what came are in swap; of what was hot before $left bytes were out at worst"
((swapped < 1024)) || fail "$swapped KiB of memory in use left"
((left <= MIB)) || fail "$left bytes of memory that was in use before left"
kill "$grown"
wait "$grown" || true
runtime_delete grows

step "cold memory that turns hot: the refault brake holds, and what leaves next is on trial"
start turns --hot 16MiB --cold 16MiB --alternate 20s
wait_for 120 told turns refaults
wait_for 180 told turns trial
cgtide explain turns --last 6
runtime_delete turns

step "clocks jump, and the engine stands still: memory goes on leaving, in steps"
start clocks --hot 4MiB --cold 160MiB
wait_for 60 swapped_more_than clocks $((4 * MIB))
date -s "@$(($(date +%s) + 86400))" >/dev/null
kill -STOP "$ENGINE_PID"
seconds_pass 15 # more than seven periods
date -s "@$(($(date +%s) - 172800))" >/dev/null
at_stop=$(swap_of clocks)
kill -CONT "$ENGINE_PID"
wait_for 60 swapped_more_than clocks $((at_stop + MIB))
# A request that was under way goes on before the next period comes.
wait_for 30 measured_anew clocks
wait_for 120 swapped_more_than clocks $((128 * MIB))
cgtide explain clocks --last 4
runtime_delete clocks

stop_engine
! dmesg | grep -i 'type=1326' || fail "the sandbox denied a system call"
step "done"
