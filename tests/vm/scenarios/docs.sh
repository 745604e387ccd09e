#!/bin/bash
# The steps of docs/runc.md and docs/crun.md, copied from the page and run one after the other

# shellcheck source=tests/vm/guest/lib.sh
. /vm/guest/lib.sh

cd /usr/share/doc/cgtide
page=docs/$RUNTIME.md
awk '/^```sh$/ { copy = 1; next } /^```$/ { copy = 0 } copy' "$page" >/run/steps.sh
(($(wc -l </run/steps.sh) > 10)) || fail "$page has no steps"
step "running the $(wc -l </run/steps.sh) lines of $page"
bash -eux /run/steps.sh >/run/steps.out 2>&1 || {
    cat /run/steps.out
    fail "a step of $page failed"
}
cat /run/steps.out
grep -q 'registered' /run/steps.out || fail "nothing was registered"
grep -Eq '^(web|db) .*stat' /run/steps.out || fail "cgtide ps did not list the container"
[[ ! -S $ENGINE_SOCKET && ! -d $CGROUPS/cgtide ]] || fail "socket or control group left behind"
! dmesg | grep -i 'type=1326' || fail "the sandbox denied a system call"
step "done"
