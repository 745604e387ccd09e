#!/bin/bash
# The region stream: what a kdamond tells, what is lost, and processes that come and go in a cgroup

# shellcheck source=tests/vm/guest/lib.sh
. /vm/guest/lib.sh

readonly STAT=/sys/module/damon_stat/parameters/enabled

# The kernel's own module excludes all others.
[[ ! -e $STAT ]] || echo N >"$STAT"

step "running the tests"
stream_kernel_test --gtest_output=json:/out/stream.json || fail "a test failed"
jq -e '[.testsuites[].testsuite[]] | length > 0 and all(.[]; .result == "COMPLETED")' \
    /out/stream.json >/dev/null || fail "a test was skipped, or none ran"
step "done"
