#!/bin/bash
# What cgtide tells of idle memory beside what the processes know: /out/layouts.json's containers. For the bench idle-accuracy. Arguments: the runs (default, regions, generations, default_100)

# shellcheck source=tests/vm/guest/lib.sh
. /vm/guest/lib.sh

readonly WATCHED_SECONDS=60 VIEWS=3 VIEW_PERIOD=6 NEIGHBOURS=97
readonly RUNS=" ${*:-default regions generations default_100} "
readonly LAYOUTS=/out/layouts.json RESULTS=/out/views.jsonl

# uptime_ms: the guest's clock, which is also the layout program's.
uptime_ms() {
    local uptime
    read -r uptime _ </proc/uptime
    echo "$((10#${uptime/./}))0"
}

# await_clock MS: waits until the guest's clock says so.
await_clock() {
    local left=$(($1 - $(uptime_ms)))
    ((left <= 0)) || sleep "$((left / 1000)).$(printf '%03d' $((left % 1000)))"
}

# names_of GROUP: its containers' names.
names_of() {
    jq -r --arg group "$1" '.groups[] | select(.name == $group) | .containers[].name' "$LAYOUTS"
}

# start_container NAME ARG...: a container of the layout program, with stat, and waits until its memory
# is filled.
start_container() {
    local name=$1
    shift
    rm -rf "/run/$name" "/out/$name.jsonl"
    make_bundle "/run/$name" "$name" /run/rootfs "/idle/$name" "{
        \"cgtide.io/apps\": \"stat\", \"cgtide.io/name\": \"$name\"}" -- \
        /bin/cgtide-layout --report "/out/$name.jsonl" "$@"
    add_hooks "/run/$name"
    runtime_create_start "$name" "/run/$name"
    wait_for 120 is_filled "$name"
}

# is_filled NAME: whether its memory is; names what it said where it has ended.
is_filled() {
    has_event "/out/$1.jsonl" populated || ! runtime_is "$1" running
}

start_group() {
    local name
    for name in $(names_of "$1"); do
        local -a args
        mapfile -t args < <(jq -r --arg name "$name" \
            '.groups[].containers[] | select(.name == $name) | .args[]' "$LAYOUTS")
        start_container "$name" "${args[@]}"
        has_event "/out/$name.jsonl" populated || fail "$name: $(<"/run/$name/output")"
    done
    step "$1: $(names_of "$1" | wc -l) containers are filled"
}

end_container() {
    runtime_stop "$1" >/dev/null
    runtime_delete "$1"
}

# start_neighbours: 97 idle processes, in two containers, for one has at most 64 that are watched.
start_neighbours() {
    local -a args
    local count first=$((NEIGHBOURS / 2 + NEIGHBOURS % 2))
    for count in "$first" $((NEIGHBOURS - first)); do
        args=(anon:256KiB:never)
        while ((${#args[@]} < 2 * count - 1)); do
            args+=(fork anon:256KiB:never)
        done
        start_container "neighbours-$count" --sample 600s "${args[@]}"
        has_event "/out/neighbours-$count.jsonl" populated ||
            fail "neighbours: $(<"/run/neighbours-$count/output")"
    done
}

# watched_long NAME: whether its view covers the time, and puts it into /run/view.
watched_long() {
    cgtide idle "$1" --json >/run/view &&
        jq -e --argjson seconds "$WATCHED_SECONDS" '.idle.watched_us >= $seconds * 1e6' /run/view
}

# take_view RUN GROUP NAME
take_view() {
    local before after
    before=$(uptime_ms)
    cgtide idle "$3" --json >/run/view
    after=$(uptime_ms)
    jq -c --arg run "$1" --arg group "$2" --arg name "$3" --argjson before "$before" \
        --argjson after "$after" '{run: $run, group: $group, container: $name,
            before_ms: $before, after_ms: $after, idle: .idle}' /run/view >>"$RESULTS"
}

# wanted RUN
wanted() {
    [[ $RUNS == *" $1 "* ]]
}

# measure RUN SENSOR GROUP: an engine of its own watches the group for a minute, then tells.
measure() {
    local run=$1 sensor=$2 group=$3 name begin view
    wanted "$run" || return 0
    printf '[idle]\nsensor = "%s"\n' "$sensor" >/run/cgtide.toml
    start_engine --config /run/cgtide.toml
    begin=$(uptime_ms)
    await_clock $((begin + WATCHED_SECONDS * 1000))
    for name in $(names_of "$group"); do
        wait_for 60 watched_long "$name"
    done
    for ((view = 0; view < VIEWS; view++)); do
        begin=$(uptime_ms)
        for name in $(names_of "$group"); do
            take_view "$run" "$group" "$name"
        done
        # stat makes a view each period; the same one twice would tell nothing.
        ((view == VIEWS - 1)) || await_clock $((begin + VIEW_PERIOD * 1000))
    done
    stop_engine
    step "$run, $group: told"
}

rm -f "$RESULTS"
mkdir -p /out/data
make_rootfs /run/rootfs
cp /usr/bin/cgtide-layout /run/rootfs/bin/
for group in $(jq -r '.groups[].name' "$LAYOUTS"); do
    start_group "$group"
    measure default auto "$group"
    measure regions regions "$group"
    measure generations generations "$group"
    if [[ $group == fixed ]] && wanted default_100; then
        start_neighbours
        measure default_100 auto "$group"
        end_container "neighbours-$((NEIGHBOURS / 2 + 1))"
        end_container "neighbours-$((NEIGHBOURS / 2))"
    fi
    for name in $(names_of "$group"); do
        end_container "$name"
    done
    rm -f /out/data/*
done
step "done"
