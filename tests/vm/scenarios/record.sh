#!/bin/bash
# What cgtide records, as damo reads it: damo validate, report wss, and idle times that agree with cgtide idle

# shellcheck source=tests/vm/guest/lib.sh
. /vm/guest/lib.sh

readonly MIB=$((1024 * 1024)) HOT_MIB=32 COLD_MIB=64

readonly -a PERCENTILES=(10 20 50 60 70 80 90)

# end_us FILE: end of a record's last aggregation, by the clock since boot.
end_us() {
    python3 -c 'import json, sys, zlib
records = json.loads(zlib.decompress(open(sys.argv[1], "rb").read()))
print(max(snapshot["end_time"] for r in records for snapshot in r["snapshots"]) // 1000)' "$1"
}

is_told() {
    cgtide idle web --json | jq -e '.idle.watched_us >= 40e6'
}

start_engine --config /etc/cgtide/cgtide.toml
make_rootfs /run/rootfs
make_bundle /run/web web /run/rootfs /record/web '{"cgtide.io/apps": "stat"}' -- \
    /bin/cgtide-workload --hot "${HOT_MIB}MiB" --cold "${COLD_MIB}MiB" --pause-us 20000 \
    --report /out/web.jsonl
add_hooks /run/web
runtime_create_start web /run/web
wait_for 60 has_event /out/web.jsonl populated
wait_for 120 is_told

step "regions"
cgtide regions web
cgtide regions web --json | jq -e --argjson least "$(((HOT_MIB + COLD_MIB) * MIB))" '
    ([.spaces[].regions[].present_bytes] | add) >= $least
    and ([.spaces[].regions[] | select(.idle_us <= 0) | .present_bytes] | add) >= $least / 4' \
    >/dev/null || fail "the map lacks memory"

step "a record that its time ends, one that a signal ends, and one that the container ends"
expect "record" cgtide record web -o /run/short.data --duration 3s
cgtide record web -o /run/signal.data &
recorder=$!
cgtide record web -o /run/web.data --duration 8s
kill -INT "$recorder"
wait "$recorder" || fail "a record that was interrupted is none"
for file in short signal web; do
    [[ $(stat -c %a "/run/$file.data") == 600 ]] || fail "others may read addresses in $file.data"
    expect "damo validate" damo validate --input "/run/$file.data" --aggr 900000 1100000 \
        --nr_accesses 0 20
done
[[ ! -e /run/nobody.data ]]
cgtide record nobody -o /run/nobody.data && fail "a record of nobody"
[[ ! -e /run/nobody.data ]] || fail "a record of nobody was written"

step "damo report wss"
damo report wss --input /run/web.data --range 50 51 1 --exclude_samples 0 --raw_number >/run/wss 2>&1 ||
    fail "damo: $(</run/wss)"
cat /run/wss
wss=$(awk '$1 == 50 { print $2 }' /run/wss)
((wss >= HOT_MIB * MIB * 9 / 10 && wss <= HOT_MIB * MIB * 12 / 10)) || fail "its working set is $wss"

step "idle times: since when, as damo and as cgtide idle tells it"
cgtide record web -o /run/web.data --duration 2s
cgtide idle web --json >/run/idle
read -r uptime _ </proc/uptime
damo report access --input /run/web.data --style recency-percentiles --raw_number \
    --percentiles_range "${PERCENTILES[@]}" >/run/report 2>&1 || fail "damo: $(</run/report)"
tail -n 12 /run/report
by_damo=$(end_us /run/web.data)
by_cgtide=$(jq --argjson now "$uptime" '$now * 1e6 - .idle.age_ms * 1000' /run/idle)
for p in "${PERCENTILES[@]}"; do
    # The snapshots of a record follow one another; the last one is meant.
    damo=$(awk -v p="$p" '$1 == p { gsub(",", "", $2); told = $2 } END { print told }' /run/report)
    [[ -n $damo ]] || fail "damo tells no percentile $p"
    jq -e --argjson p "$p" --argjson damo "$damo" --argjson by_damo "$by_damo" \
        --argjson by_cgtide "$by_cgtide" '
        ([.idle.percentiles_us[$p], 0] | max) as $ours |
        if $ours == 0 or $damo == 0 then $ours == $damo
        else (($by_damo - $damo) - ($by_cgtide - $ours) | fabs) <= .idle.resolution_us end' \
        /run/idle >/dev/null ||
        fail "percentile $p: $damo us at $by_damo by damo, $(jq ".idle.percentiles_us[$p]" \
            /run/idle) us at $by_cgtide by cgtide"
done

runtime_stop web
runtime_delete web
stop_engine
! dmesg | grep -i 'type=1326' || fail "the sandbox denied a system call"
step "done"
