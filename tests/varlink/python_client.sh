#!/bin/bash
# python3-varlink reads the interface's description and lists containers. usage: python_client.sh FAKE_NODE CGTIDED SANDBOX
# Debian 12 has no such package: trixie's, which is pure Python, is unpacked into the cache and not installed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
CACHE=${CGTIDE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/cgtide}
BUILDING=''
say() { printf 'python_client: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
# shellcheck source=tests/vm/host/cache.sh
. "$here/../vm/host/cache.sh"
# shellcheck source=tests/vm/host/apt.sh
. "$here/../vm/host/apt.sh"

# unpack DIR: fetches the package and unpacks it to DIR.
unpack() {
    local state uri
    state=$(mktemp -d)
    uri=$(apt_uri bookworm)
    mkdir -p "$state"/{parts,lists/partial,cache/archives/partial}
    apt_stanza "$uri" trixie >"$state/parts/trixie.sources"
    local apt=(-q -q -o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$state/parts"
        -o "Dir::State::Lists=$state/lists" -o "Dir::Cache=$state/cache"
        -o Dir::State::status=/dev/null -o APT::Sandbox::User=root)
    apt-get "${apt[@]}" update >&2 || die "cannot read trixie's package lists"
    (cd "$state" && apt-get "${apt[@]}" download python3-varlink >&2) || die "cannot fetch python3-varlink"
    dpkg-deb -x "$state"/python3-varlink_*.deb "$1"
    rm -rf "$state"
}

mkdir -p "$CACHE"
cache_entry "python3-varlink-$(sha256sum "$0" | cut -c 1-16)" unpack
export PYTHONPATH=$ENTRY/usr/lib/python3/dist-packages
exec "$1" python3 "$here/client.py" "$2" "$3" '{root}' '{run}'
