#!/bin/bash
# damo records before, while and after cgtided runs: its record has no gap, and DAMON's tree stays as damo left it

# shellcheck source=tests/vm/guest/lib.sh
. /vm/guest/lib.sh

readonly TREE=/sys/kernel/mm/damon MODULES=/sys/module RECORD=/run/damo/damon.data
readonly KDAMOND=$TREE/admin/kdamonds/0 PART_SECONDS=10 AGGREGATION_US=1000000 LONGEST_US=1500000
DAMO_PID=''

# is_tracing: damo's perf writes the header when it begins.
is_tracing() { [[ -s $RECORD ]] && pgrep '^perf' && [[ $(<"$KDAMOND/state") == on ]]; }
is_by_generations() { cgtide idle web --json | jq -e '.idle | .source == "generations" and .choice == "only"'; }
now_us() { awk '{ printf "%d", $1 * 1e6 }' /proc/uptime; }

# intervals: the record's aggregations, in microseconds, one a line; fails where two do not follow one another.
intervals() {
    PYTHONPATH=/usr/lib/python3/dist-packages/damo python3 -c 'import sys, _damo_records
records, error = _damo_records.get_records(record_file=sys.argv[1])
if error or len(records) != 1:
    sys.exit("%s, %s records" % (error, records and len(records)))
end = None
for snapshot in records[0].snapshots:
    if end not in (None, snapshot.start_time):
        sys.exit("a gap before %d ns" % snapshot.start_time)
    end = snapshot.end_time
    print(int(end - snapshot.start_time) // 1000)' "$RECORD"
}

make_rootfs /run/rootfs
make_bundle /run/web web /run/rootfs /stranger/web '{"cgtide.io/apps": "stat"}' -- \
    /bin/cgtide-workload --hot 16MiB --cold 48MiB --pause-us 20000 --report /out/web.jsonl
add_hooks /run/web
runtime_create_start web /run/web
wait_for 60 has_event /out/web.jsonl populated
pid=$(<"$CGROUPS/stranger/web/cgroup.procs")

step "damo records"
[[ ! -e $MODULES/damon_stat ]] || echo N >"$MODULES/damon_stat/parameters/enabled"
mkdir -p /run/damo
damo record --do_record access --exclude_child_tasks --ops vaddr --target_pid "${pid%%$'\n'*}" \
    --monitoring_intervals 50ms 1s 1s --monitoring_nr_regions_range 10 100 --out "$RECORD" \
    >/out/damo.log 2>&1 &
DAMO_PID=$!
wait_for 60 is_tracing
begin=$(now_us) worker=$(<"$KDAMOND/pid")
sleep "$PART_SECONDS"
before=$(damon_files)

step "cgtided beside it"
start_engine --config /etc/cgtide/cgtide.toml
wait_for 60 grep -q 'no idle times by regions' "$ENGINE_LOG"
step "$(grep 'no idle times by regions' "$ENGINE_LOG")"
wait_for 60 is_by_generations
sleep "$PART_SECONDS"
is_as_before "beside damo"
stop_engine
is_as_before "after a stop beside damo"
expect "cleanup" cgtided --cleanup
is_as_before "after a cleanup beside damo"
sleep "$PART_SECONDS"
[[ $(<"$KDAMOND/state") == on && $(<"$KDAMOND/pid") == "$worker" ]] || fail "damo's worker is another one"

step "damo ends"
elapsed=$(($(now_us) - begin))
kill -INT "$DAMO_PID"
wait "$DAMO_PID" || true
# An emulated machine may stand still for a moment; a worker that somebody turned off would miss whole aggregations.
expect "damo validate" damo validate --input "$RECORD" --aggr $((AGGREGATION_US * 9 / 10)) "$LONGEST_US" \
    --nr_accesses 0 20
all=$(intervals) || fail "the record has a gap"
count=$(wc -l <<<"$all") sum=$(($(paste -sd+ <<<"$all"))) longest=$(sort -n <<<"$all" | tail -n 1)
step "$count aggregations, the longest $longest us, of $((elapsed / 1000)) ms"
((longest <= LONGEST_US)) || fail "an aggregation of $longest us"
((sum >= elapsed - 3 * AGGREGATION_US)) || fail "the record covers $sum us of $elapsed"
runtime_stop web
runtime_delete web
! dmesg | grep -i 'type=1326' || fail "the sandbox denied a system call"
step "done"
