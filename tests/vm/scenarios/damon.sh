#!/bin/bash
# The pool of kdamonds on this kernel: histories, dying processes, strangers, a killed engine

# shellcheck source=tests/vm/guest/lib.sh
. /vm/guest/lib.sh

damon_kernel_test --gtest_color=no "$@" || fail "damon_kernel_test on $KERNEL"
step "done"
