#!/bin/bash
# DAMON given back by hand while the engine goes on: as it was found, idle times by generations meanwhile, by regions again after a restart

# shellcheck source=tests/vm/guest/lib.sh
. /vm/guest/lib.sh

# is_told_by SOURCE
is_told_by() {
    cgtide idle web --json | jq -e --arg source "$1" '.idle.source == $source'
}

# refuses REASON COMMAND...: a command that ends with status 1 and says so.
refuses() {
    local reason=$1 output status=0
    shift
    output=$("$@" 2>&1) || status=$?
    ((status == 1)) || fail "\`$*\` ended with $status: $output"
    [[ $output == *"refused ($reason)"* ]] || fail "\`$*\` said: $output"
    step "$output"
}

has_reason() {
    cgtide idle web --json | jq -e '.no_regions | test("given back by hand")'
}

before=$(damon_state)
step "before: ${before//$'\n'/, }"
cgtided --probe | jq -r '.capabilities[] | select(.name | test("DAMON|lru_gen|page types|soft-dirty")) |
    "\(.present) \(.name): \(.detail)"'
start_engine --config /dev/null
make_rootfs /run/rootfs
make_bundle /run/web web /run/rootfs /release/web '{"cgtide.io/apps": "stat"}' -- \
    /bin/cgtide-workload --hot 16MiB --cold 32MiB --pause-us 20000 --report /out/web.jsonl
add_hooks /run/web
runtime_create_start web /run/web
wait_for 60 has_event /out/web.jsonl populated
wait_for 90 is_told_by regions
[[ $(damon_state) != "$before" ]] || fail "DAMON was not taken over"

step "released by hand"
expect "release" cgtide damon release
[[ $(damon_state) == "$before" ]] || fail "DAMON is not as before: $(damon_state)"
[[ ! -e /run/cgtide/damon.json ]] || fail "the record of DAMON's use was left"
refuses no-damon cgtide damon release
refuses no-idle-view cgtide regions web
wait_for 30 has_reason
cgtide doctor | grep -A 1 'MISSING  idle times by regions' | grep 'given back by hand' ||
    fail "cgtide doctor does not say why: $(cgtide doctor | grep -A 1 'idle times by regions')"
wait_for 60 is_told_by generations
cgtide watch web --count 1
[[ $(damon_state) == "$before" ]] || fail "DAMON was taken again: $(damon_state)"

step "taken again by a restart"
stop_engine
start_engine --config /dev/null
wait_for 90 is_told_by regions
stop_engine
[[ $(damon_state) == "$before" ]] || fail "DAMON is not as before: $(damon_state)"
runtime_stop web
runtime_delete web
! dmesg | grep -i 'type=1326' || fail "the sandbox denied a system call"
step "done"
