# shellcheck shell=bash
# Installs Debian packages, for the scripts that people run. Sourced; sets nothing.

# install_packages FILE...: installs what the files name and the machine lacks. Never removes a package: where apt would, it stops and names it.
install_packages() {
    local name missing=() removed
    while read -r name; do
        dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q 'ok installed' ||
            missing+=("$name")
    done < <(grep -hvE '^ *(#|$)' "$@")
    ((${#missing[@]} > 0)) || return 0
    echo "installing ${#missing[@]} packages: ${missing[*]}"
    if ((EUID != 0)); then
        echo "root is needed for: apt-get install ${missing[*]}" >&2
        return 1
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -q -q
    removed=$(apt-get install -s --no-install-recommends "${missing[@]}" | awk '/^Remv/ { print $2 }')
    if [[ -n $removed ]]; then
        echo "apt would remove ${removed//$'\n'/ }: remove it yourself, or run on another machine" >&2
        return 1
    fi
    apt-get install -y -q --no-install-recommends "${missing[@]}" </dev/null >/dev/null
}
