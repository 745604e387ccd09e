#!/bin/bash
# How much slower a hot loop runs while cgtide reclaims its container: ABBA pairs of 60 s. Arguments: taking|huge|bare|settled [PAIRS]

# shellcheck source=tests/vm/guest/lib.sh
. /vm/guest/lib.sh

readonly MODE=${1:-taking} LEAST_PAIRS=${2:-5} MOST_PAIRS=${2:-12}
CONTROLS=5
# What memory.reclaim costs is told by the seconds in which it takes, within each segment.
[[ $MODE != bare ]] || CONTROLS=0
readonly CONTROLS SECONDS_A_SEGMENT=60 MIB=$((1024 * 1024))
readonly RESULTS=/out/slowdown.txt # lines: pair-or-control, ratio per CPU second, ratio per guest second
readonly REPORT=/out/spinner.jsonl # a line a second

cat >/run/cgtide.toml <<'TOML'
[profile.eager]
cpu = "60%"
[[grant]]
cgroup = "/web"
profiles = ["default", "eager"]
TOML

# start_spinner ANNOTATIONS: the loop, in one container for all segments, so that nothing but the apps differs.
start_spinner() {
    make_bundle /run/bundle spinner /run/rootfs /web/spinner "$1" -- \
        /bin/cgtide-workload --hot 32MiB --cold 96MiB --random 50 --work-mode spin --pass checksum \
        --pages "$([[ $MODE == huge ]] && echo any || echo small)" --sample 1s --report "$REPORT"
    add_hooks /run/bundle
    runtime_create_start spinner /run/bundle
    wait_for 120 has_event "$REPORT" populated
}

# The loop checksums its pages: of a loop that writes one byte of each page, the emulated machine
# measures the refills of its translation cache, each as dear as 100 such bytes, and little else.

# start_tickers: has a small process wake up on each processor every 50 ms until the machine ends.
#
# An emulated processor sizes its translation cache when it is flushed. A loop that has a processor
# to itself never flushes it, and runs 15 times slower or faster for as long as the size of that
# moment lasts, whatever else goes on. A change of process flushes: the same for both kinds.
start_tickers() {
    local cpu
    for ((cpu = 0; cpu < $(nproc); cpu++)); do
        taskset -c "$cpu" cgtide-workload --hot 4KiB --pause-us 50000 --sample 600s \
            --report "/run/ticker.$cpu" &
    done
}

# await_lines N: until the report has N more lines. Waits on the file: a loop of short commands costs this
# machine half a processor.
await_lines() {
    # shellcheck disable=SC2016 # the inner shell's
    timeout $((SECONDS_A_SEGMENT * 3)) sh -c 'tail -n 0 -f "$1" | head -n "$2"' sh "$REPORT" "$1" \
        >/dev/null || fail "$REPORT has not $1 more lines"
}

# measure: prints passes per CPU second of the loop and per guest second in the next 60 s. From the end of one pass to that of another:
# where there are two in a second, half a pass more or less is as much as what is measured.
measure() {
    await_lines $((SECONDS_A_SEGMENT + 1))
    tail -n $((SECONDS_A_SEGMENT + 1)) "$REPORT" | sed -n '1p;$p' |
        jq -sr '(.[1].passes - .[0].passes) as $work |
            "\($work / (.[1].pass_cpu_s - .[0].pass_cpu_s)) \($work / (.[1].pass_t - .[0].pass_t))"'
}

# lost_while_taking: of the work of the last segment, the share that was lost in the seconds in which cold memory left, against the other
# seconds of the same segment: what it costs to be flushed and interrupted then, without the differences between segments.
lost_while_taking() {
    tail -n $((SECONDS_A_SEGMENT + 1)) "$REPORT" | jq -s '
        [range(1; length) as $i | {work: (.[$i].passes - .[$i - 1].passes), cpu: (.[$i].pass_cpu_s - .[$i - 1].pass_cpu_s),
                                   takes: (.[$i].cold_resident < .[$i - 1].cold_resident)}
            | select(.work > 0) | {rate: (.work / .cpu), takes}]
        | (map(select(.takes | not).rate) | add / length) as $rest
        | (map(select(.takes) | ($rest - .rate) / $rest) | add // 0) / length'
}

readonly ANNOTATED='{"cgtide.io/apps": "stat,reclaim", "cgtide.io/profile": "eager", "cgtide.io/reclaim.idle": "10s"}'

# refills: prints how often the loop has filled its cold memory anew.
refills() {
    grep -c '"refilled"' "$REPORT" || true
}

refilled_more_than() {
    (($(refills) > $1))
}

# refill: has the loop drop its cold memory and fill it anew, and waits until it has.
refill() {
    local before
    before=$(refills)
    expect "cannot signal the loop" "$RUNTIME" kill spinner USR1
    wait_for 60 refilled_more_than "$before"
}

# apps attach|detach: both of them, by hand.
apps() {
    local app
    for app in stat reclaim; do expect "cannot $1 $app" cgtide "$1" spinner "$app"; done
}

# take_bare: has the kernel take the cold memory, as cgtide would at its soonest, with nothing beside a write.
take_bare() {
    await_lines 12
    echo "$((96 * MIB)) swappiness=max" >"$CGROUPS/web/spinner/memory.reclaim" || true # EAGAIN: less was there
}

# segment off|on: one segment's two figures. `taking` fills the cold memory anew before each, which leaves meanwhile where the apps are
# attached, `huge` the same with huge pages where the kernel gives them; `bare` leaves cgtide out, and writes to memory.reclaim; `settled`
# attaches and detaches the app beside cold memory that has left.
segment() {
    if [[ $MODE == settled ]]; then
        expect "cannot turn $1" cgtide "$([[ $1 == on ]] && echo attach || echo detach)" spinner reclaim
        measure
        return
    fi
    refill
    [[ $MODE != huge ]] || (($(memory_stat web/spinner anon_thp) > 64 * MIB)) || fail "the loop has small pages"
    if [[ $1 == on ]]; then
        # Both take after the window has begun, and within it.
        if [[ $MODE == bare ]]; then take_bare & else apps attach; fi
    fi
    measure
    if [[ $1 == on ]]; then
        (($(last_sample "$REPORT" cold_resident) < 48 * MIB)) || fail "the cold memory is still there"
        echo "lost $(lost_while_taking)" >>"$RESULTS.lost"
        [[ $MODE == bare ]] || apps detach
    else
        (($(last_sample "$REPORT" cold_resident) == 96 * MIB)) || fail "cold memory left without a taker"
    fi
}

# pair KIND FIRST SECOND: appends the ratio of the second kind to the first, whichever ran first.
pair() {
    local one two
    one=$(segment "$2")
    two=$(segment "$3")
    if [[ $2 == on && $3 == off ]]; then
        echo "$1 $two $one" >>"$RESULTS.raw"
    else
        echo "$1 $one $two" >>"$RESULTS.raw"
    fi
    awk '{ print $1, $4 / $2, $5 / $3 }' "$RESULTS.raw" >"$RESULTS"
    step "$1: $(tail -n 1 "$RESULTS") ($2 $one, $3 $two)"
}

# summary KIND COLUMN: prints median, lower and upper end of its 95 % bootstrap interval.
summary() {
    awk -v kind="$1" -v column="$2" '
        function median(list, n,    i, j, value) {
            for (i = 2; i <= n; i++) {
                value = list[i]
                for (j = i - 1; j > 0 && list[j] > value; j--) list[j + 1] = list[j]
                list[j + 1] = value
            }
            return n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
        }
        $1 == kind { ratio[++n] = $column }
        END {
            srand(1)
            for (round = 1; round <= 2000; round++) {
                for (i = 1; i <= n; i++) sample[i] = ratio[int(rand() * n) + 1]
                medians[round] = median(sample, n)
            }
            for (i = 1; i <= n; i++) sample[i] = ratio[i]
            middle = median(sample, n)
            median(medians, 2000)
            printf "%.4f %.4f %.4f\n", middle, medians[50], medians[1950]
        }' "$RESULTS" "$RESULTS.lost"
}

narrow() {
    summary pair 2 | awk '{ exit !($3 - $2 <= 0.03) }'
}

rm -f "$RESULTS" "$RESULTS.raw"
: >"$RESULTS.lost"
step "huge pages: $(</sys/kernel/mm/transparent_hugepage/enabled)"
[[ $MODE != huge ]] || echo always >/sys/kernel/mm/transparent_hugepage/enabled
start_tickers
[[ $MODE == bare ]] || start_engine --config /run/cgtide.toml
make_rootfs /run/rootfs
start_spinner "$([[ $MODE == bare ]] && echo '{}' || echo "$ANNOTATED")"
if [[ $MODE == settled ]]; then
    cold_is_out() { (($(last_sample "$REPORT" cold_resident) <= 96 * MIB / 20)); }
    wait_for 400 cold_is_out
    step "the cold memory is out"
elif [[ $MODE != bare ]]; then
    apps detach
fi
pairs=0
while ((pairs < LEAST_PAIRS)) || { ((pairs < MOST_PAIRS)) && ! narrow; }; do
    # ABBA: the order turns with every pair.
    if ((pairs % 2 == 0)); then pair pair off on; else pair pair on off; fi
    pairs=$((pairs + 1))
done
for ((control = 0; control < CONTROLS; control++)); do
    pair control off off
done
read -r cpu_median cpu_low cpu_high < <(summary pair 2)
read -r time_median time_low time_high < <(summary pair 3)
read -r control_median control_low control_high < <([[ $MODE != bare ]] && summary control 2 || echo null null null)
read -r lost_median lost_low lost_high < <([[ $MODE != settled ]] && summary lost 2 || echo null null null)
[[ $MODE == bare ]] || stop_engine
jq -nc --arg mode "$MODE" --argjson pairs "$pairs" \
    --argjson a "$cpu_median" --argjson b "$cpu_low" --argjson c "$cpu_high" \
    --argjson d "$time_median" --argjson e "$time_low" --argjson f "$time_high" \
    --argjson j "$lost_median" --argjson k "$lost_low" --argjson l "$lost_high" \
    --argjson g "$control_median" --argjson h "$control_low" --argjson i "$control_high" \
    '{mode: $mode, pairs: $pairs, work_per_cpu_median: $a, work_per_cpu_low: $b, work_per_cpu_high: $c,
      work_per_second_median: $d, work_per_second_low: $e, work_per_second_high: $f,
      control_median: $g, control_low: $h, control_high: $i,
      lost_while_taking_median: $j, lost_while_taking_low: $k, lost_while_taking_high: $l}' | tee /out/slowdown.json
