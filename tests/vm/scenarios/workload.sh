#!/bin/bash
# The workload in a container counts what memory.reclaim pushes out of it as the kernel does

# shellcheck source=tests/vm/guest/lib.sh
. /vm/guest/lib.sh

readonly REPORT=/out/workload.jsonl
readonly MIB=$((1024 * 1024))

# near NUMBER NUMBER TOLERANCE
near() {
    local difference=$(($1 - $2))
    ((${difference#-} <= $3))
}

# The container holds little beside the workload's ranges: its stack, its data, page tables in
# neither count.
counts_agree() {
    local resident swapped
    resident=$(($(last_sample "$REPORT" hot_resident) + $(last_sample "$REPORT" cold_resident)))
    swapped=$((32 * MIB - resident))
    near "$(memory_stat web/workload anon)" "$resident" "$MIB" &&
        near "$(<"$CGROUPS/web/workload/memory.swap.current")" "$swapped" "$MIB"
}

hot_is_back() {
    (($(last_sample "$REPORT" hot_resident) >= 8 * MIB * 95 / 100))
}

step "starting the workload under $RUNTIME"
rm -f "$REPORT"
make_rootfs /run/rootfs
make_bundle /run/bundle workload /run/rootfs /web/workload '{"test.note":"a/b \"q\""}' -- \
    /bin/cgtide-workload --hot 8MiB --cold 24MiB --sample 500ms --report "$REPORT"
runtime_create_start workload /run/bundle
wait_for 60 has_event "$REPORT" populated
expect "not all is resident at first" counts_agree

before=$(last_sample "$REPORT" cold_resident)
passes=$(last_sample "$REPORT" passes)
step "reclaiming 16 MiB; $before bytes of cold memory are resident"
# EAGAIN says that the kernel found less than it was asked for; what left is counted below.
echo 16M >"$CGROUPS/web/workload/memory.reclaim" || true

wait_for 30 hot_is_back
wait_for 30 counts_agree
after=$(last_sample "$REPORT" cold_resident)
step "$after bytes of cold memory are resident, anon $(memory_stat web/workload anon)," \
    "swap $(<"$CGROUPS/web/workload/memory.swap.current")"
((before - after >= 8 * MIB)) ||
    fail "of 16 MiB asked for only $((before - after)) bytes of cold memory left"
(($(last_sample "$REPORT" passes) > passes)) || fail "the workload makes no passes"

step "asking for the cold memory anew"
expect "cannot signal the workload" "$RUNTIME" kill workload USR1
wait_for 30 has_event "$REPORT" refilled
all_is_here() {
    (($(last_sample "$REPORT" cold_resident) == 24 * MIB)) && counts_agree
}
wait_for 30 all_is_here

step "stopping"
samples=$(wc -l <"$REPORT")
runtime_stop workload
(($(wc -l <"$REPORT") > samples)) || fail "SIGTERM brought no last sample"
[[ ! -s /run/bundle/output ]] || fail "the container said: $(</run/bundle/output)"
runtime_delete workload
[[ ! -d $CGROUPS/web/workload ]] || fail "the control group is still there"
step "done"
