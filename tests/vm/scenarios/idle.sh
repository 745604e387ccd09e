#!/bin/bash
# How long memory has been idle: three containers of known hot and cold memory, told by cgtide idle; DAMON as before at the end. Arguments: idle.sensor, and `files`: as where no BPF program can be loaded

# shellcheck source=tests/vm/guest/lib.sh
. /vm/guest/lib.sh

readonly SENSOR=${1:-auto} TOLD_BY=${2:-bpf} MIB=$((1024 * 1024)) WATCHED_SECONDS=60
readonly MODULE=/sys/module/damon_stat/parameters/enabled
SOURCE=regions
[[ $SENSOR != generations ]] || SOURCE=generations
readonly SOURCE
# name, hot and cold MiB
readonly -a CONTAINERS=("a 48 80" "b 16 112" "c 100 28")

# idle_of NAME: the view as JSON.
idle_of() {
    cgtide idle "$1" --json
}

is_told() {
    idle_of "$1" | jq -e --argjson seconds "$WATCHED_SECONDS" --arg source "$SOURCE" '
        .idle.source == $source and .idle.watched_us >= $seconds * 1e6'
}

# is_newer NAME FILE: whether the view is another one than FILE's, and puts it there. Views come every
# few seconds, so that one which is younger than the last is another.
is_newer() {
    idle_of "$1" >"$2.new"
    [[ ! -e $2 ]] || (($(jq .idle.age_ms "$2.new") < $(jq .idle.age_ms "$2"))) || {
        mv "$2.new" "$2"
        return 1
    }
    mv "$2.new" "$2"
}

# note_error NAME COLD_MIB: takes a new view, and how far its bytes that are idle for 10 s are from the truth, in percent of it, where
# those that may be make up for what is missing.
note_error() {
    local view=/run/$1.view
    wait_for 30 is_newer "$1" "$view"
    jq --argjson truth "$(($2 * MIB))" '
        .idle.cold[] | select(.age_us == 10000000)
        | [.anon_bytes - $truth, $truth - .anon_bytes - .unsure_bytes, 0] | max
        | . / $truth * 100' "$view" >>"/run/$1.errors"
}

at_most() {
    jq -en --argjson value "$1" --argjson limit "$2" '$value <= $limit' >/dev/null
}

before=$(damon_state)
step "before: ${before//$'\n'/, }"
cat >/run/cgtide.toml <<TOML
[idle]
sensor = "$SENSOR"
TOML
if [[ $KERNEL == 6.1 ]]; then
    step "turning MGLRU on, which Debian's 6.1 has off"
    echo y >/sys/kernel/mm/lru_gen/enabled
fi
if [[ $TOLD_BY == files ]]; then
    ENGINE_UNDER=(setpriv "--bounding-set=-bpf,-perfmon,-sys_admin")
fi
start_engine --config /run/cgtide.toml
make_rootfs /run/rootfs
for row in "${CONTAINERS[@]}"; do
    read -r name hot cold <<<"$row"
    make_bundle "/run/$name" "$name" /run/rootfs "/idle/$name" "{
        \"cgtide.io/apps\": \"stat\", \"cgtide.io/name\": \"$name\"}" -- \
        /bin/cgtide-workload --hot "${hot}MiB" --cold "${cold}MiB" --pause-us 20000 \
        --report "/out/$name.jsonl"
    add_hooks "/run/$name"
    runtime_create_start "$name" "/run/$name"
done
for row in "${CONTAINERS[@]}"; do
    read -r name hot cold <<<"$row"
    wait_for 60 has_event "/out/$name.jsonl" populated
done
step "populated; DAMON_STAT: $([[ ! -e $MODULE ]] || cat "$MODULE")"
[[ $SENSOR != generations || $(damon_state) == "$before" ]] || fail "DAMON was touched: $(damon_state)"
for row in "${CONTAINERS[@]}"; do
    read -r name hot cold <<<"$row"
    wait_for 150 is_told "$name"
    cgtide idle "$name"
done
# The median of five views: the emulated machine often misses that memory is in use. All containers' views come at once.
for _ in 1 2 3 4 5; do
    for row in "${CONTAINERS[@]}"; do
        read -r name hot cold <<<"$row"
        note_error "$name" "$cold"
    done
done
for row in "${CONTAINERS[@]}"; do
    read -r name hot cold <<<"$row"
    error=$(sort -g "/run/$name.errors" | sed -n 3p)
    step "$name: $cold MiB cold, told with an error of $error %"
    unsure=$(idle_of "$name" | jq '.idle.unsure_bytes / .idle.seen_bytes * 100')
    at_most "$unsure" 33 || fail "$name: $unsure % of it are unsure"
    at_most "$error" 5 || fail "$name: cold bytes are $error % from the truth"
done

if [[ $TOLD_BY == files ]]; then
    wait_for 10 grep -q "regions are read from DAMON's files" "$ENGINE_LOG"
    cgtide doctor --json | jq -e '.capabilities[] | select(.name == "idle times by regions")
        | .present and (.detail | contains("read from its files"))' >/dev/null ||
        fail "doctor does not say that regions are read from files: $(cgtide doctor)"
fi

step "two apps on one container, which the kernel's own modules cannot do"
expect "attach" cgtide attach a reclaim
idle_of a | jq -e '.idle.seen_bytes > 0' >/dev/null || fail "stat went with reclaim's coming"

step "stopping"
for row in "${CONTAINERS[@]}"; do
    read -r name hot cold <<<"$row"
    runtime_stop "$name"
    runtime_delete "$name"
done
stop_engine
[[ $(damon_state) == "$before" ]] || fail "DAMON is not as before: $(damon_state)"

step "killed and cleaned up"
start_engine --config /run/cgtide.toml
kill -KILL "$ENGINE_PID"
wait "$ENGINE_PID" || true
expect "cleanup" cgtided --cleanup
[[ $(damon_state) == "$before" ]] || fail "DAMON is not as before after a kill: $(damon_state)"
! dmesg | grep -i 'type=1326' || fail "the sandbox denied a system call"
step "done"
