# shellcheck shell=bash
# The guest's root file system: Debian 12, made once for each recipe. Sourced by run.sh after
# cache.sh and apt.sh.

# rootfs_get: sets ENTRY to the directory of the root file system.
rootfs_get() {
    cache_entry "rootfs-$(recipe_hash host/rootfs.sh guest/packages)" rootfs_build
}

# rootfs_build DIR
rootfs_build() {
    local dir=$1 work=$1.work release uri packages
    say "building the guest's root file system"
    mkdir "$work"
    for release in bookworm bookworm-updates bookworm-security; do
        uri=$(apt_uri "$release") || exit
        apt_stanza "$uri" "$release" >>"$work/mirror.sources"
    done
    # The modules of whichever kernel runs are bound here. mmdebstrap's shell expands it.
    # shellcheck disable=SC2016
    local hook='mkdir -p "$1/usr/lib/modules"'
    packages=$(grep -v '^#' "$HERE/guest/packages" | paste -sd,)
    if ! mmdebstrap --mode=root --variant=apt --format=directory --include="$packages" \
        --aptopt='APT::Install-Recommends "false"' \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' \
        --customize-hook="$hook" \
        bookworm "$dir" "$work/mirror.sources" >"$work/log" 2>&1; then
        cat "$work/log" >&2
        rm -rf "$work"
        die "mmdebstrap failed"
    fi
    rootfs_peers "$dir" "$work/peers"
    rm -rf "$work"
}

# rootfs_peers DIR WORK: lays what cgtide is compared with, and Debian 12 lacks, over the root: damo,
# which is Python alone.
rootfs_peers() {
    local uri
    uri=$(apt_uri bookworm) || exit
    apt_private "$2" "$uri" sid
    (cd "$2" && apt-get "${APT_PRIVATE[@]}" download damo) >>"$2/log" 2>&1 ||
        { cat "$2/log" >&2; die "cannot fetch damo"; }
    dpkg-deb -x "$2"/damo_*.deb "$1"
}
