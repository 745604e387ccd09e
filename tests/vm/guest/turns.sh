# shellcheck shell=bash
# What benches share that let controllers take turns on the same workload. Sourced after lib.sh by a scenario with the arguments CASE
# SECONDS CONTROLLER..., which has start_X, stop_X and lives for controllers, case_X for cases, lacking, and measure.
#
# Of each controller it leaves /out/CASE.CONTROLLER.outcome, a line of JSON (done, skipped or failed, and why). One that fails does not
# keep the others from their turn; the scenario fails in the end.

readonly CASE=$1 SECONDS_EACH=$2
CONTROLLER='' CONTROLLER_PID='' SAMPLER=''
CONTAINERS=() HELPERS=() FAILED=0

# fail TEXT: as lib.sh's, and keeps the text for the outcome.
fail() {
    printf '%s' "$*" >/run/why
    printf '%s FAILED: %s\n' "$(stamp)" "$*" >&2
    exit 1
}

# end_process PID: by request, after 20 s by force. Its exit status; 127 where it is no child.
end_process() {
    kill -TERM "$1" 2>/dev/null || true
    timeout 20 tail -s 0.2 --pid="$1" -f /dev/null || kill -KILL "$1" || true
    wait "$1"
}

# report ID: a workload's file.
report() { echo "/out/$CASE.$CONTROLLER.$1.jsonl"; }

# start_engine_for_web TOML: cgtide's engine as a controller: annotated containers are below /web.
start_engine_for_web() {
    # An emulated machine is 10 to 30 times slower than hardware: nobody's CPU is bounded here.
    printf '%s\n' '[profile.eager]' 'cpu = "100%"' '[[grant]]' 'cgroup = "/web"' 'profiles = ["default", "eager"]' "$1" \
        >/run/cgtide.toml
    start_engine --config /run/cgtide.toml
    CONTROLLER_PID=$ENGINE_PID
}

# start_sampler SECONDS: has what the turn costs sampled into /out/CASE.CONTROLLER.samples. From before the containers are there: what
# one costs while they start counts too.
start_sampler() {
    python3 /usr/bin/cgtide-bench-sampler "/out/$CASE.$CONTROLLER.samples" "$1" "$CONTROLLER_PID" &
    SAMPLER=$!
    HELPERS+=("$SAMPLER")
    wait_for 30 test -s "/out/$CASE.$CONTROLLER.samples"
}

# work: the time that is measured.
work() {
    local begin
    read -r begin _ </proc/uptime
    echo "$begin" >/run/begin
    lives || fail "$CONTROLLER has ended before anything was measured"
    # The time is what is measured: nothing is waited for.
    sleep "$SECONDS_EACH"
    lives || fail "$CONTROLLER has ended while it was measured"
    helpers_live || fail "a process of the case has ended while $CONTROLLER was measured"
    # Before the controller, which would have no CPU any more.
    end_process "$SAMPLER" || true
}

# helpers_live: whether the processes that work for a case do.
helpers_live() {
    local pid
    for pid in "${HELPERS[@]}"; do kill -0 "$pid" || return 1; done
}

# tear_down: ends all that the controller's turn has started, also where that has failed. The controller first: oomd loops for
# ever over a cgroup that has just gone.
# shellcheck disable=SC2317 # a trap calls it
tear_down() {
    local status=$? stopped=0 pid id
    trap - EXIT
    set +e
    "stop_$CONTROLLER" || stopped=$?
    for pid in "${HELPERS[@]}"; do end_process "$pid"; done
    for id in "${CONTAINERS[@]}"; do "$RUNTIME" delete --force "$id" & done
    wait
    no_groups || fail "a container's cgroup stays after $CONTROLLER's turn"
    ((status != 0 || stopped == 0)) || fail "$CONTROLLER has ended with status $stopped"
    exit "$status"
}

# no_groups: takes away what a runtime that met a busy group has left of the containers, within 20 s: in a group that stays the next
# turn would find this one's faults and stalls.
# shellcheck disable=SC2317 # a trap calls it
no_groups() {
    local group deadline=$((SECONDS + 20))
    for group in "$CGROUPS"/{web,plain}/*/; do
        until [[ ! -d $group ]] || rmdir "$group" 2>/dev/null; do
            ((SECONDS < deadline)) || return 1
            sleep 0.2
        done
    done
}

# outcome done|skipped|failed WHY [BEGIN]: the time since boot from which on it counts.
outcome() {
    jq -nc --arg outcome "$1" --arg why "$2" --argjson begin "${3:-null}" '$ARGS.named' >"/out/$CASE.$CONTROLLER.outcome"
}

# turn CONTROLLER: counts it in FAILED where it has failed.
turn() {
    local why status=0
    CONTROLLER=$1
    rm -f /run/why /run/begin "/out/$CASE.$CONTROLLER".*
    why=$(lacking)
    if [[ -n $why ]]; then
        step "$CASE: $CONTROLLER is skipped: $why"
        outcome skipped "$why"
        return
    fi
    step "$CASE: $CONTROLLER"
    # Not as a condition: bash would not end the inner shell at an error then.
    set +e
    (
        set -e
        trap tear_down EXIT
        echo 3 >/proc/sys/vm/drop_caches
        measure
    )
    status=$?
    set -e
    if ((status != 0)); then
        outcome failed "$(cat /run/why 2>/dev/null || echo "the scenario's shell ended with status $status")"
        FAILED=$((FAILED + 1))
        return
    fi
    outcome "done" '' "$(</run/begin)"
}

# take_turns CONTROLLER...
take_turns() {
    local controller
    for controller in "$@"; do
        turn "$controller"
    done
    ((FAILED == 0)) || fail "$FAILED of $# controllers failed"
}
