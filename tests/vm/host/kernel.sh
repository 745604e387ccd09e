# shellcheck shell=bash
# Debian's stock cloud kernels, fetched by a private apt state.
# Sourced by run.sh after cache.sh and apt.sh.

# The newest version is asked for again when the last answer is older than this many minutes.
readonly KERNEL_ASK_MINUTES=1440

# kernel_get NAME: sets ENTRY to a directory with `vmlinuz` and `modules/VERSION`.
kernel_get() {
    local name=$1 asked=$CACHE/kernel-$1.version lock
    exec {lock}>"$asked.lock"
    flock "$lock"
    if [[ -z $(find "$asked" -mmin "-$KERNEL_ASK_MINUTES" 2>/dev/null) ]]; then
        if (kernel_ask "$name" >"$asked.new"); then
            mv "$asked.new" "$asked"
        else
            rm -f "$asked.new"
            [[ -s $asked ]] || die "cannot learn which version the kernel '$name' has"
            say "cannot ask for a newer kernel; $(cat "$asked") stays"
        fi
    fi
    exec {lock}>&-
    cache_entry "kernel-$name-$(cat "$asked")-$(recipe_hash host/kernel.sh)" kernel_build "$name"
}

# kernel_apt NAME STATE: makes a private apt state in STATE and sets KERNEL_META.
kernel_apt() {
    local near suite uri
    case $1 in
        newest)
            KERNEL_META=linux-image-cloud-amd64
            near=bookworm suite=trixie-backports
            ;;
        6.12)
            KERNEL_META=linux-image-6.12-cloud-amd64
            near=bookworm-security suite=bookworm-security
            ;;
        6.1)
            KERNEL_META=linux-image-cloud-amd64
            near=bookworm-security suite=bookworm-security
            ;;
    esac
    uri=$(apt_uri "$near") || exit
    apt_private "$2" "$uri" "$suite"
}

# kernel_ask NAME: prints the version of the newest package. Run it in a subshell.
kernel_ask() {
    local state version
    state=$(mktemp -d "$CACHE/.building.XXXXXXXX")
    # shellcheck disable=SC2064 # the value of now is meant
    trap "rm -rf '$state'" EXIT
    kernel_apt "$1" "$state"
    version=$(apt-cache "${APT_PRIVATE[@]}" show --no-all-versions "$KERNEL_META" |
        awk '$1 == "Version:" { print $2; exit }')
    [[ -n $version ]] || die "no package $KERNEL_META"
    printf '%s\n' "$version"
}

# kernel_build DIR NAME: fetches and unpacks the packages that the metapackage resolves to.
kernel_build() {
    local dir=$1 name=$2 packages package modules version vmlinuz
    say "fetching the kernel '$name'"
    kernel_apt "$name" "$dir/apt"
    # Names vary from version to version: image alone, or binary and modules apart.
    packages=$(apt-cache "${APT_PRIVATE[@]}" depends --recurse --no-recommends --no-suggests \
        --no-conflicts --no-breaks --no-replaces --no-enhances "$KERNEL_META" |
        grep -E '^linux-(image|binary|modules)-' | sort -u)
    mkdir "$dir/tree"
    # shellcheck disable=SC2086 # one word a package
    (cd "$dir/apt" && apt-get "${APT_PRIVATE[@]}" download $packages) >>"$dir/apt/log" 2>&1 ||
        { cat "$dir/apt/log" >&2; die "cannot fetch the kernel '$name'"; }
    for package in "$dir"/apt/*.deb; do
        dpkg-deb -x "$package" "$dir/tree"
    done
    modules=$(find "$dir/tree" -type d -path '*/lib/modules/*' -prune)
    version=${modules##*/}
    vmlinuz=$(find "$dir/tree" -type f -name 'vmlinuz*')
    [[ -d $modules && -f $vmlinuz ]] || die "the packages of the kernel '$name' have another layout"
    mkdir -p "$dir/modules" "$dir/lib"
    mv "$vmlinuz" "$dir/vmlinuz"
    mv "$modules" "$dir/modules/$version"
    # depmod looks in lib/modules below its base directory.
    ln -s ../modules "$dir/lib/modules"
    # It warns of lists of built-in modules, which not every kernel package has.
    depmod -b "$dir" "$version" 2>>"$dir/apt/log" ||
        { cat "$dir/apt/log" >&2; die "depmod failed"; }
    rm -rf -- "${dir:?}"/{tree,apt,lib}
}
