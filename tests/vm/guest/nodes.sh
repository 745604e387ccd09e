# shellcheck shell=bash
# What scenarios share in which memory moves between NUMA nodes. Sourced after lib.sh.

readonly MIB=$((1024 * 1024))

# on_node ID KIND NODE: bytes of a workload's hot or cold memory on a node, by itself.
on_node() {
    last_sample "/out/$1.jsonl" "$2_nodes[$3] // 0"
}

hot_is_fast() {
    (($(on_node "$1" hot 0) >= $2 * MIB * 90 / 100))
}

cold_is_slow() {
    (($(on_node "$1" cold 0) <= $2 * MIB * 10 / 100))
}

# bytes_moved ID: of a workload, by itself.
bytes_moved() {
    last_sample "/out/$1.jsonl" moved_bytes
}

has_moved() {
    (($(bytes_moved "$1") >= $2))
}

# free_of NODE: bytes.
free_of() {
    echo $(($(awk '$3 == "MemFree:" { print $4 }' "/sys/devices/system/node/node$1/meminfo") * 1024))
}

# grant_web APPS [LINE...]: settings that let containers below /web have these apps (in quotes, with commas), and more lines.
# PERIOD is the profile's in seconds, where that is set.
grant_web() {
    # The emulated machine is 10 to 30 times slower than hardware.
    printf '%s\n' '[profile.eager]' 'cpu = "100%"' "${PERIOD:+period = \"${PERIOD}s\"}" '[[grant]]' 'cgroup = "/web"' "apps = [$1]" \
        'profiles = ["default", "eager"]' "${@:2}" >/run/cgtide.toml
}

# moves_no_more ID: two periods after the engine's end, looks for a while whether pages of a workload still move.
moves_no_more() {
    local before
    seconds_pass $((2 * ${PERIOD:-2}))
    wait_for 30 has_samples "$1" $(($(wc -l <"/out/$1.jsonl") + 2))
    before=$(bytes_moved "$1")
    wait_for 60 has_samples "$1" $(($(wc -l <"/out/$1.jsonl") + 6))
    (($(bytes_moved "$1") == before)) || fail "pages of $1 move without an engine"
}
