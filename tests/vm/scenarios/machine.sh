#!/bin/bash
# The test bed itself: ends, dies or hangs on request; tests/vm/run_test.sh asks

# shellcheck source=tests/vm/guest/lib.sh
. /vm/guest/lib.sh

case $1 in
    status)
        printf 'out: %s\n' "${@:3}"
        echo err >&2
        # A child that holds our output open must not keep the machine from ending.
        sleep 1000 &
        exit "$2"
        ;;
    staged)
        # What was laid over the root is there and can be changed here, the originals cannot.
        [[ $(staged-program) == staged ]] || fail "the staged program does not run"
        echo changed >/etc/staged.conf
        if touch /vm/touched 2>/dev/null; then
            fail "the guest can write to the host's tests/vm"
        fi
        cp /etc/staged.conf /out/copy
        ;;
    die) echo c >/proc/sysrq-trigger ;;
    hang)
        echo hanging
        sleep 1000
        ;;
    *) fail "no such request: $1" ;;
esac
