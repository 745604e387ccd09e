#!/bin/bash
# The quickstart on the machine itself passes, and ends well; tests/quickstart starts it

# shellcheck source=tests/vm/guest/lib.sh
. /vm/guest/lib.sh

readonly TREE=/opt/tree TOOLS=/run/tools
readonly QUICKSTART=$TREE/examples/quickstart.sh SAID=/run/said
readonly SUMMARY=$TREE/build/quickstart/summary.json

[[ -x $QUICKSTART ]] ||
    fail "no $QUICKSTART: the stage must be that of tests/quickstart/quickstart_test.sh"

# tool NAME: makes a program of the standard input. The guest has no compiler and no build packages:
# what they would make is installed.
tool() {
    { echo '#!/bin/bash' && cat; } >"$TOOLS/$1"
    chmod +x "$TOOLS/$1"
}

make_tools() {
    mkdir "$TOOLS"
    tool dpkg-query <<'TOOL'
printf '%s installed\n' "${@:3}"
TOOL
    tool strip <<'TOOL'
true
TOOL
    tool ninja <<'TOOL'
mkdir -p "$2/tests/vm/workload"
cp /usr/bin/cgtide-workload "$2/tests/vm/workload/cgtide_workload"
TOOL
    tool cmake <<'TOOL'
[[ $1 == --install ]] || exit 0
mkdir -p "$DESTDIR"/usr/{bin,sbin,libexec/cgtide}
cp /usr/bin/cgtide "$DESTDIR/usr/bin/"
cp "${BROKEN_ENGINE:-/usr/sbin/cgtided}" "$DESTDIR/usr/sbin/cgtided"
cp /usr/libexec/cgtide/cgtide-hook "$DESTDIR/usr/libexec/cgtide/"
TOOL
}

# state: prints what a run must leave as it was: processes, mounts, control groups, files.
state() {
    ps -eo comm= --ppid 2 -p 2 --deselect | grep -vxE 'ps|grep|sort|cat|tail|bash' | sort
    cat /proc/self/mounts
    find "$CGROUPS" -type d | sort
    # The limit files of the root do not exist; what it passes on could be changed.
    cat "$CGROUPS/cgroup.subtree_control"
    find /tmp /run /root /var/tmp "$TREE" -not -path "$TREE/build*" -not -path "$SAID" | sort
}

# quickstart SIGNAL TEXT: runs it and sends the signal once it has said TEXT, if one is given. Sets
# STATUS.
quickstart() {
    local signal=$1 text=$2 pid
    STATUS=0
    : >"$SAID"
    # A shell's background job ignores SIGINT, and a shell cannot trap what it was started to
    # ignore.
    PATH=$TOOLS:$PATH env --default-signal=INT "$QUICKSTART" --runtime "$RUNTIME" >"$SAID" 2>&1 &
    pid=$!
    if [[ -n $signal ]]; then
        until grep -qE "$text" "$SAID"; do
            kill -0 "$pid" 2>/dev/null || fail "it ended before '$text': $(<"$SAID")"
            sleep 0.1
        done
        kill "-$signal" "$pid"
    fi
    { wait "$pid" || STATUS=$?; } 2>/dev/null
}

# nothing_left WHAT
nothing_left() {
    local now
    now=$(state)
    [[ $now == "$BEFORE" ]] ||
        fail "$1 left something: $(diff <(echo "$BEFORE") <(echo "$now"))" \
            "it said: $(tail -n 30 "$SAID")"
    engine_listens || fail "$1 ended the other engine"
}

interrupt() {
    step "$1 after '$2'"
    quickstart "$1" "$2"
    ((STATUS == $3)) || fail "status $STATUS after SIG$1: $(tail -n 30 "$SAID")"
    nothing_left "SIG$1 after '$2'"
}

make_tools
step "another engine runs on this machine"
# shellcheck disable=SC2119 # with no arguments
start_engine
: >"$SAID"
mkdir "$TREE/build"
BEFORE=$(state)

interrupt INT 'building cgtide' 130
interrupt INT 'starting cgtided' 130
interrupt INT 'starting three containers' 130
interrupt TERM 'waiting until each' 143
interrupt INT '^NAME' 130

step "an engine that does not start"
export BROKEN_ENGINE=/usr/bin/false
quickstart '' ''
unset BROKEN_ENGINE
((STATUS == 1)) || fail "status $STATUS: $(tail -n 30 "$SAID")"
grep -q 'cgtided ended' "$SAID" || fail "it does not say why: $(<"$SAID")"
[[ ! -e $SUMMARY ]] || fail "a summary without a run"
nothing_left "a failure"

step "a whole run"
quickstart '' ''
((STATUS == 0)) || fail "status $STATUS: $(<"$SAID")"
grep -q 'on this machine: it has all' "$SAID" || fail "not on this machine: $(head -n 3 "$SAID")"
[[ $(jq -c '[.place, .passed]' "$SUMMARY") == '["host",true]' ]] || fail "summary: $(<"$SUMMARY")"
nothing_left "a whole run"
stop_engine
step "done"
