#!/bin/bash
# Does build.sh's job in a Debian 12 root file system with the packages of .ci/packages, for
# machines where those conflict with what is installed. The root is made once and kept in the cache.
#
# usage: build_apart.sh TREE BUILD STAGE
set -euo pipefail

say() { printf '%s\n' "$*"; }
die() {
    say "$*" >&2
    exit 1
}

# inside ROOT TREE BUILD STAGE: builds with ROOT as /. In a mount namespace of its own, so that all
# that is mounted or written outside TREE ends with it.
inside() {
    local root=$1 tree=$2 layer=$1/mnt
    shift
    mount -t tmpfs layer "$layer"
    mkdir "$layer"/{upper,work,new}
    mount -t overlay -o "lowerdir=$root,upperdir=$layer/upper,workdir=$layer/work" overlay \
        "$layer/new"
    mount -t proc proc "$layer/new/proc"
    mount --rbind /dev "$layer/new/dev"
    mkdir -p "$layer/new$tree"
    mount --bind "$tree" "$layer/new$tree"
    exec chroot "$layer/new" "$tree/examples/quickstart/build.sh" "$@"
}

if [[ $1 == --inside ]]; then
    shift
    inside "$@"
fi

readonly TREE=$1
# shellcheck source=tests/vm/host/cache.sh
. "$TREE/tests/vm/host/cache.sh"
# shellcheck source=tests/vm/host/apt.sh
. "$TREE/tests/vm/host/apt.sh"

# root_make DIR
root_make() {
    local dir=$1 work=$1.work release uri packages
    say "making a root file system to build in, with the packages of .ci/packages"
    mkdir "$work"
    for release in bookworm bookworm-updates bookworm-security; do
        uri=$(apt_uri "$release") || exit
        apt_stanza "$uri" "$release" >>"$work/mirror.sources"
    done
    packages=$(sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$TREE/.ci/packages" | paste -sd,)
    mmdebstrap --mode=root --variant=apt --format=directory --include="$packages" \
        --aptopt='APT::Install-Recommends "false"' bookworm "$dir" "$work/mirror.sources"
    rm -rf "$work"
}

# shellcheck disable=SC2317 # a trap calls it
clean_up() {
    trap '' INT TERM HUP
    [[ -z $BUILDING ]] || rm -rf --one-file-system -- "$BUILDING" "$BUILDING.work"
}

BUILDING=''
CACHE=${CGTIDE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/cgtide}
mkdir -p "$CACHE"
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
cache_entry "build-root-$(sha256sum <"$TREE/.ci/packages" | cut -c1-16)" root_make
unshare --mount --propagation private "${BASH_SOURCE[0]}" --inside "$ENTRY" "$@"
