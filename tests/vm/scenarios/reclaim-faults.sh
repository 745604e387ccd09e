#!/bin/bash
# What may go wrong while memory leaves: a killed engine, swap that is taken away, files that strangers map. Argument: pageout (damos, memory.reclaim, lru_gen)

# shellcheck source=tests/vm/guest/lib.sh
. /vm/guest/lib.sh

readonly ACTUATOR=${1:-pageout}
readonly MIB=$((1024 * 1024))
readonly EAGER='{"cgtide.io/apps": "stat,reclaim", "cgtide.io/profile": "eager", "cgtide.io/reclaim.idle": "5s"}'

cat >/run/cgtide.toml <<'TOML'
[profile.eager]
cpu = "100%"
[[grant]]
cgroup = "/web"
profiles = ["default", "eager"]
TOML
if [[ $ACTUATOR == memory.reclaim ]]; then
    # Without a sensor no age is proven, and the kernel's lists choose.
    printf '[damon]\ntakeover = "never"\n' >>/run/cgtide.toml
    umount /sys/kernel/debug
elif [[ $ACTUATOR == lru_gen ]]; then
    printf '[idle]\nsensor = "generations"\n[reclaim]\nactuator = "lru_gen"\n' >>/run/cgtide.toml
elif [[ $ACTUATOR == damos ]]; then
    printf '[reclaim]\nactuator = "damos"\n' >>/run/cgtide.toml
fi

# start ID MIB [ARG...]: a container of 4 MiB hot and MIB cold memory.
start() {
    local id=$1 cold=$2
    shift 2
    start_workload "$id" "/web/$id" "$EAGER" --hot 4MiB --cold "${cold}MiB" "$@"
}

left_by() {
    cgtide explain "$1" --json | jq -e --arg actuator "$2" \
        '.entries[] | select(.actuator == $actuator and .outcome.taken_bytes > 0)'
}

# is_asked: in this moment a thread that carries out requests is at work; those that wait for one sleep. Without a process of its
# own, which would be slower here than a request.
is_asked() {
    local file stat
    for file in "/proc/$ENGINE_PID"/task/*/stat; do
        read -r stat <"$file" && [[ $stat == *'(cgtide-reclaim) '[RD]* ]] && return
    done
    return 1
}

readonly SLOT=/sys/kernel/mm/damon/admin/kdamonds/0
readonly SCHEMES=$SLOT/contexts/0/schemes

workers_page_out() {
    (($(<"$SCHEMES/nr_schemes") > 0))
}

# scheme_has_ended: what an engine that was killed has left behind ends by itself.
scheme_has_ended() {
    echo update_schemes_stats >"$SLOT/state" &&
        (($(<"$SCHEMES/0/stats/nr_snapshots") >= $(<"$SCHEMES/0/stats/max_nr_snapshots")))
}

make_rootfs /run/rootfs
before=$(damon_files)
start_engine --config /run/cgtide.toml

step "the engine is killed while memory leaves: nothing leaves after two periods"
start killed 160
# Generations prove an age at the third walk: memory.reclaim goes before.
[[ $ACTUATOR == damos || $ACTUATOR == memory.reclaim ]] || wait_for 90 left_by killed "$ACTUATOR"
wait_for 60 swapped_more_than killed $(($(swap_of killed) + 4 * MIB))
if [[ $ACTUATOR == damos ]]; then wait_for 60 workers_page_out; else wait_for 60 is_asked; fi
kill -KILL "$ENGINE_PID"
wait "$ENGINE_PID" || true
at_kill=$(swap_of killed)
seconds_pass 4 # two periods of the profile
after=$(swap_of killed)
seconds_pass 8
(($(swap_of killed) <= after)) || fail "$(($(swap_of killed) - after)) bytes left after two periods"
((after < 150 * MIB)) || fail "all had left before: the kill shows nothing"
if [[ $ACTUATOR == damos ]]; then
    expect "the kill came between two requests" workers_page_out
    expect "the scheme goes on" scheme_has_ended
    step "the scheme: $(grep -H '' "$SCHEMES"/0/stats/* | sed 's|.*/stats/||' | tr '\n' ' ')"
    expect "cleanup" cgtided --cleanup
    is_as_before "after a kill"
fi
step "swapped: $at_kill bytes at the kill, $after two periods later, $(swap_of killed) at last"
start_engine --config /run/cgtide.toml
wait_for 60 swapped_more_than killed $((after + MIB))
wait_for 30 left_by killed "$ACTUATOR"
[[ $ACTUATOR != damos ]] || wait_for 90 swapped_more_than killed $((140 * MIB)) # reclaim.keep stays
cgtide explain killed --last 3
runtime_delete killed

step "swap is taken away while memory leaves, and comes back"
start swapless 96
wait_for 60 swapped_more_than swapless $((4 * MIB))
swapoff /dev/zram0
# What swapoff brought back may count as refaults, and hold for a while.
wait_for 90 last_reason_is swapless exhausted
(($(swap_of swapless) == 0)) || fail "something is in swap without swap"
swapon /dev/zram0
wait_for 90 swapped_more_than swapless $((4 * MIB))
cgtide explain swapless --last 4
runtime_delete swapless

if [[ $ACTUATOR == pageout ]]; then
    step "page cache that a container read and is charged for, and that a stranger maps hot, stays"
    start reader 8
    # Not on the root file system: what is on a tmpfs is no page cache.
    dd if=/dev/urandom of=/out/shared bs=1M count=24 status=none
    sync
    echo 3 >/proc/sys/vm/drop_caches
    sh -c "echo \$\$ >$CGROUPS/web/reader/cgroup.procs; exec cat /out/shared" >/dev/null
    (($(memory_stat web/reader file) > 23 * MIB)) || fail "the reader is not charged for the file"
    cat >/run/stranger.py <<'PY'
import mmap, pathlib, time
with open("/out/shared", "rb") as file:
    memory = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
while True:
    sum(memory[at] for at in range(0, len(memory), 4096))
    pathlib.Path("/run/mapped").touch()
    time.sleep(0.05)
PY
    mkdir -p "$CGROUPS/stranger"
    sh -c "echo \$\$ >$CGROUPS/stranger/cgroup.procs
        exec python3 /run/stranger.py" &
    stranger=$!
    wait_for 60 test -e /run/mapped
    wait_for 60 last_reason_is reader shared-files
    before=$(memory_stat stranger pgmajfault)
    # Before the stranger mapped them it was page cache of unknown age, of which some may have left.
    kept=$(memory_stat web/reader file)
    ((kept > 16 * MIB)) || fail "most of the file had left before the stranger mapped it"
    seconds_pass 20
    cgtide explain reader --last 5
    (($(memory_stat stranger pgmajfault) == before)) || fail "the stranger had major faults"
    (($(memory_stat web/reader file) >= kept)) || fail "$((kept - $(memory_stat web/reader file))) bytes of the file left"
    kill "$stranger"
    wait "$stranger" || true
    rm /out/shared
    runtime_delete reader
fi
stop_engine
! dmesg | grep -i 'type=1326' || fail "the sandbox denied a system call"
step "done"
