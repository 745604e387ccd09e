# shellcheck shell=bash
# Steps that show that they go on, and that end as a whole when the script does. Sourced by
# quickstart.sh, which sets LIVE (yes for a terminal), STEP, STEP_LOG and STEP_MUST_FINISH (all
# empty), and STEP_LOCK to a descriptor that steps do not get.

# How often a step that says nothing is reported, in seconds: on a terminal, and elsewhere.
readonly STEP_TELL_LIVE=1 STEP_TELL=5

# say TEXT: a line for the reader, with the seconds since the start.
say() { printf '[%4d s] %s\n' "$SECONDS" "$*"; }
die() {
    say "FAILED: $*" >&2
    exit 1
}

# step_tell BEGAN TEXT: says how long the step has taken, and TEXT.
step_tell() {
    local line
    line=$(printf '         ... %d s  %s' "$((SECONDS - $1))" "$2")
    if [[ -n $LIVE ]]; then
        printf '\r\033[K%s' "${line:0:79}"
    else
        printf '%s\n' "${line:0:110}"
    fi
}

# step_show: passes lines on, and while there is none says how long the step has taken. With
# STEP_LOG the lines go there, and the newest is told now and then.
step_show() {
    # It ends when the step has, whatever the terminal sends.
    trap '' INT TERM HUP
    local line rest='' last='' began=$SECONDS told=$SECONDS every=$STEP_TELL clear=''
    if [[ -n $LIVE ]]; then
        every=$STEP_TELL_LIVE clear=$'\r\033[K'
    fi
    while :; do
        if IFS= read -r -t "$every" line; then
            if [[ -n $STEP_LOG ]]; then
                last=$rest$line
                printf '%s\n' "$last" >>"$STEP_LOG"
            else
                printf '%s%s\n' "$clear" "$rest$line"
                told=$SECONDS
            fi
            rest=''
        elif (($? > 128)); then
            # What was read of a line when the time was over.
            rest+=$line
        else
            break
        fi
        if ((SECONDS >= told + every)); then
            step_tell "$began" "$last"
            told=$SECONDS
        fi
    done
    printf '%s' "$clear"
    [[ -z $rest$line ]] || printf '%s\n' "$rest$line" | tee -a ${STEP_LOG:+"$STEP_LOG"}
}

# step_run TEXT COMMAND...: says TEXT, runs the command, and ends the script where it fails. The
# command has a process group of its own, so that step_clean_up can end all of it.
step_run() {
    local text=$1 status=0 pipe shower began=$SECONDS
    shift
    say "$text"
    [[ -z $STEP_LOG ]] || : >"$STEP_LOG"
    exec {pipe}> >(step_show)
    shower=$!
    set -m
    setpriv --pdeathsig TERM "$@" </dev/null >&"$pipe" 2>&1 {pipe}>&- {STEP_LOCK}>&- &
    STEP=$!
    set +m
    exec {pipe}>&-
    wait "$STEP" || status=$?
    STEP=''
    wait "$shower" || true
    ((status == 0)) || [[ -z $STEP_LOG ]] || tail -n 30 "$STEP_LOG"
    ((status == 0)) || die "$text: status $status after $((SECONDS - began)) s"
}

# step_clean_up: ends the step that runs, if any, and waits for it; one that must finish is waited
# for.
# shellcheck disable=SC2317 # a trap calls it
step_clean_up() {
    trap '' INT TERM HUP
    [[ -n $STEP ]] || return 0
    if [[ -n $STEP_MUST_FINISH ]]; then
        say "ending as soon as $STEP_MUST_FINISH"
    else
        say "ending what runs"
        kill -TERM -- "-$STEP" 2>/dev/null || true
        timeout 60 tail --pid="$STEP" -s 0.1 -f /dev/null || kill -KILL -- "-$STEP" || true
    fi
    wait "$STEP" 2>/dev/null || true
}
