# shellcheck shell=bash
# Debian packages, without a question and without removing one. Sourced by quickstart.sh after
# steps.sh.

readonly APT_INSTALL=(env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300
    --no-install-recommends --no-remove install)

# packages_lists: reads what the archive has, once.
packages_lists() {
    [[ -z ${PACKAGES_LISTED:-} ]] || return 0
    step_run "reading apt's package lists" apt-get -q update
    PACKAGES_LISTED=yes
}

# packages_missing FILE: sets MISSING to those named in FILE, one a line, that are not installed.
packages_missing() {
    local names installed
    names=$(sed -e 's/#.*//' -e 's/[[:space:]]//g' -e '/^$/d' "$1" | sort -u)
    # Names that dpkg never heard of make it fail, and they are missing too.
    # shellcheck disable=SC2086,SC2016 # one word a package; dpkg-query expands the format
    installed=$(dpkg-query --show --showformat='${Package} ${db:Status-Status}\n' $names \
        2>/dev/null | awk '$2 == "installed" { print $1 }' | sort -u) || true
    mapfile -t MISSING < <(comm -23 <(printf '%s\n' "$names") <(printf '%s\n' "$installed"))
}

# packages_fit NAME...: whether apt can install them without removing any. Sets OBSTACLE to what
# stands against it.
packages_fit() {
    local plan removed
    if ! plan=$(apt-get -s --no-install-recommends install "$@" 2>&1); then
        OBSTACLE="'$(tail -n 4 <<<"$plan" | tr -s ' \n' ' ')'"
        return 1
    fi
    removed=$(awk '$1 == "Remv" { print $2 }' <<<"$plan" | paste -sd' ')
    OBSTACLE="it would remove $removed"
    [[ -z $removed ]]
}

# packages_install NAME...
packages_install() {
    step_run "fetching $# packages and what they depend on" "${APT_INSTALL[@]}" --download-only "$@"
    # dpkg must not be stopped midway.
    STEP_MUST_FINISH="apt has installed the packages"
    step_run "installing them" "${APT_INSTALL[@]}" "$@"
    STEP_MUST_FINISH=''
}
