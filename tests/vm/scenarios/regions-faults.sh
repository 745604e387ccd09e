#!/bin/bash
# Faults of the region sensor: 400 processes, a storm of forks, a commit of 20 s, no BTF, no debugfs

# shellcheck source=tests/vm/guest/lib.sh
. /vm/guest/lib.sh

readonly KDAMONDS=/sys/kernel/mm/damon/admin/kdamonds
readonly CROWD=400 COMMIT_SECONDS=20
CHILDREN=()

# start_container NAME: 8 MiB hot and 8 MiB cold, with stat.
start_container() {
    make_bundle "/run/$1" "$1" /run/rootfs "/faults/$1" "{
        \"cgtide.io/apps\": \"stat\", \"cgtide.io/name\": \"$1\"}" -- \
        /bin/cgtide-workload --hot 8MiB --cold 8MiB --pause-us 20000 --report "/out/$1.jsonl"
    add_hooks "/run/$1"
    runtime_create_start "$1" "/run/$1"
    wait_for 60 has_event "/out/$1.jsonl" populated
}

# in_container NAME COMMAND...: runs it as another process of the container, until end_children.
in_container() {
    local name=$1
    shift
    (
        echo "$BASHPID" >"$CGROUPS/faults/$name/cgroup.procs"
        "$@"
    ) &
    CHILDREN+=($!)
}

end_children() {
    local pid
    for pid in "${CHILDREN[@]}"; do
        pkill -KILL -P "$pid" || true
        kill -KILL "$pid" || true
        wait "$pid" || true
    done
    CHILDREN=()
}

crowd() {
    local i
    for ((i = 0; i < $1; ++i)); do
        sleep infinity &
    done
    wait
}

fork_storm() {
    while :; do
        (:)
    done
}

idle_of() {
    cgtide idle "$1" --json
}

# idle_is NAME FILTER: whether its view is as asked for.
idle_is() {
    idle_of "$1" | jq -e ".idle | $2"
}

watched_us() {
    idle_of "$1" | jq .idle.watched_us
}

# waits_for_a_reader: whether a thread of the engine waits until somebody reads the commit.
waits_for_a_reader() {
    grep -qs wait_for_partner /proc/"$ENGINE_PID"/task/*/wchan
}

# By default a container of which regions see little is told by generations.
printf '[idle]\nsensor = "regions"\n' >/run/regions.toml
start_engine --config /run/regions.toml
make_rootfs /run/rootfs
for name in calm many storm; do
    start_container "$name"
done
for name in calm many storm; do
    wait_for 90 idle_is "$name" '.watched_us > 0'
done

step "$CROWD processes in one container"
in_container many crowd "$CROWD"
wait_for 300 idle_is many ".processes <= 64 and .unwatched >= $CROWD - 64"
step "many: $(idle_of many | jq -c '.idle | {processes, unwatched, unseen_bytes}')"

step "a container that forks in a loop"
in_container storm fork_storm
before=$(watched_us calm)
wait_for 120 idle_is calm ".watched_us >= $before + 10e6"
before=$(watched_us storm)
wait_for 120 idle_is storm ".watched_us >= $before + 10e6"
step "calm and storm are watched on"
end_children
wait_for 60 idle_is many '.unwatched == 0'

step "a commit of $COMMIT_SECONDS s"
mkfifo /run/commit
mount --bind /run/commit "$KDAMONDS/0/state"
start_container late
wait_for 60 waits_for_a_reader
expect "inspect during the commit" cgtide inspect late
end=$((SECONDS + COMMIT_SECONDS))
answers=0
while ((SECONDS < end)); do
    expect "ps during the commit" cgtide ps
    expect "idle during the commit" idle_of calm
    answers=$((answers + 2))
done
waits_for_a_reader || fail "the commit did not last"
step "the socket answered $answers times meanwhile"
[[ $(</run/commit) == commit ]] || fail "that was no commit"
umount "$KDAMONDS/0/state"
echo commit >"$KDAMONDS/0/state" # which the kernel had not seen yet
wait_for 60 idle_is late '.watched_us > 0'
before=$(watched_us calm)
wait_for 60 idle_is calm ".watched_us >= $before + 5e6"
step "late: $(idle_of late | jq -c '.idle | {processes, watched_us}')"
stop_engine

step "without the kernel's types"
mount -t tmpfs none /sys/kernel/btf
start_engine --config /etc/cgtide/cgtide.toml
wait_for 60 grep -q "regions are read from DAMON's files" "$ENGINE_LOG"
step "$(grep "regions are read from DAMON's files" "$ENGINE_LOG")"
wait_for 120 idle_is calm '.source == "regions" and .watched_us >= 5e6'
stop_engine
[[ $(<"$KDAMONDS/nr_kdamonds") == 0 ]] || fail "DAMON was not given back"

step "without debugfs, too, where generations are to tell"
umount /sys/kernel/debug
printf '[idle]\nsensor = "generations"\n' >/run/generations.toml
start_engine --config /run/generations.toml
wait_for 60 grep -q 'no idle times by generations' "$ENGINE_LOG"
step "$(grep 'no idle times by generations' "$ENGINE_LOG")"
expect "ps without idle times" cgtide ps
said=$(cgtide idle calm 2>&1) || true
step "cgtide idle: $said"
! idle_is calm '.watched_us > 0' >/dev/null 2>&1 || fail "idle times were told without a sensor"
stop_engine
for name in calm many storm late; do
    runtime_stop "$name"
    runtime_delete "$name"
done
! dmesg | grep -i 'type=1326' || fail "the sandbox denied a system call"
step "done"
