#!/bin/bash
# Under the default profile the bytes of the outcomes follow the law's formula. Argument: minutes (20)

# shellcheck source=tests/vm/guest/lib.sh
. /vm/guest/lib.sh

readonly MINUTES=${1:-20}
readonly REPORT=/out/law.jsonl GROUP=$CGROUPS/web/law
readonly TRACK=/run/track # a line a sample: seconds since boot, usage, stall of memory and of io in us

# stall FILE: the total of its `some` line.
stall() {
    awk '$1 == "some" { sub("total=", "", $5); print $5 }' "$GROUP/$1.pressure"
}

# collect: keeps every entry of the journal, whose ring is shorter than this scenario.
collect() {
    cgtide explain law --json | jq -c '.entries[]' >>/run/entries
}

cat >/run/cgtide.toml <<'TOML'
[profile.default]
cpu = "50%"
TOML
# The pace is that of unproven age: no sensor may tell of ages.
cat >>/run/cgtide.toml <<'TOML'
[damon]
takeover = "never"
TOML
umount /sys/kernel/debug
rm -f "$REPORT"
start_engine --config /run/cgtide.toml
make_rootfs /run/rootfs
make_bundle /run/bundle law /run/rootfs /web/law '{"cgtide.io/apps": "stat,reclaim", "cgtide.io/reclaim.idle": "10s"}' -- \
    /bin/cgtide-workload --hot 1MiB --cold 511MiB --random 50 --sample 10s --pause-us 100000 --report "$REPORT"
add_hooks /run/bundle
runtime_create_start law /run/bundle
wait_for 200 has_event "$REPORT" populated
reclaiming() { cgtide explain law --json | jq -e '.entries[] | select(.reason == "saving")' >/dev/null; }
wait_for 60 reclaiming
step "populated and past its first idle time; watching for $MINUTES minutes"

base=$(cgtide explain law --json | jq .container.taken_bytes)
for ((i = 0, end = SECONDS + MINUTES * 60; SECONDS < end; i++)); do
    read -r uptime _ </proc/uptime
    echo "$uptime $(<"$GROUP/memory.current") $(stall memory) $(stall io)" >>"$TRACK"
    ((i % 50 != 0)) || { collect; step "$(cgtide explain law --json | jq .container.taken_bytes) bytes taken"; }
    sleep 6
done
collect
taken=$(jq -s 'unique_by(.sequence) | map(.outcome.taken_bytes // 0) | add' /run/entries)
total=$(($(cgtide explain law --json | jq .container.taken_bytes) - base))
# A sample takes longer than its pause here, so the formula goes by the time between two.
formula=$(awk '
    NR > 1 {
        passed = $1 - at
        memory = ($3 - stalled_memory) / (passed * 1e6); io = ($4 - stalled_io) / (passed * 1e6)
        worst = (memory > io ? memory : io) / 0.001
        if (worst < 1) sum += usage * 0.0005 * (passed / 6) * (1 - worst)
    }
    { at = $1; usage = $2; stalled_memory = $3; stalled_io = $4 }
    END { printf "%.0f\n", sum }' "$TRACK")
step "outcomes: $taken bytes in the journal, $total since the watch began; formula: $formula"
jq -nc --argjson taken "$total" --argjson formula "$formula" \
    '{taken_bytes: $taken, formula_bytes: $formula, ratio: ($taken / $formula)}' | tee /out/law.json
((total * 100 >= formula * 80 && total * 100 <= formula * 120)) || fail "not within 20 % of the formula"
((taken >= total)) || fail "the journal lacks outcomes: $taken of $total bytes"
runtime_delete law
stop_engine
step "done"
