# shellcheck shell=bash
# Cached artefacts of the test bed: one directory an artefact, made atomically, shared by concurrent
# runs. Sourced by run.sh, which sets CACHE and defines say and die.

# Entries that no run used for this many days are removed when a new one is made.
readonly CACHE_KEEP_DAYS=14

# cache_entry KEY BUILDER [ARG...]
# Sets ENTRY to the directory of KEY. Where it is absent, `BUILDER DIR ARG...` fills a new DIR
# first. This process holds a shared lock on the entry until it ends, so that no other run removes
# it.
cache_entry() {
    local key=$1 builder=$2 use build
    shift 2
    ENTRY=$CACHE/$key
    exec {use}>"$CACHE/$key.lock"
    touch "$CACHE/$key.lock"
    flock -s "$use" || die "cannot lock $CACHE/$key.lock"
    [[ ! -d $ENTRY ]] || return 0
    # One for all builders: on a small machine two at once take no less time than two in turn.
    exec {build}>"$CACHE/build.lock"
    flock "$build" || die "cannot lock $CACHE/build.lock"
    # Another run may have made it while this one waited.
    if [[ ! -d $ENTRY ]]; then
        BUILDING=$(mktemp -d "$CACHE/.building.XXXXXXXX")
        "$builder" "$BUILDING" "$@"
        chmod 0755 "$BUILDING"
        mv -T "$BUILDING" "$ENTRY"
        BUILDING=''
        cache_prune
    fi
    exec {build}>&-
}

# Removes entries that were not used for CACHE_KEEP_DAYS and that no run holds, and what killed runs
# left unfinished.
cache_prune() {
    local stale lock
    find "$CACHE" -maxdepth 1 -name '.building.*' -mtime +1 -exec rm -rf -- {} +
    while IFS= read -r stale; do
        exec {lock}>>"$stale"
        if flock -n "$lock"; then
            rm -rf -- "${stale%.lock}"
            rm -f -- "$stale"
        fi
        exec {lock}>&-
    done < <(find "$CACHE" -maxdepth 1 -name '*.lock' -mtime "+$CACHE_KEEP_DAYS")
}
