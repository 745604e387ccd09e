# shellcheck shell=bash
# How the kernel gets to the tree of host/export.sh. Sourced by run.sh after cache.sh, which sets
# ROOTFS, VMLINUZ and MODULES.
#
# Debian's kernels from 6.12 on mount it themselves. On 6.1 virtiofs and virtio are modules, but
# NVMe and ext4 are not: there the kernel begins in a small image on NVMe, whose first program
# (guest/first) loads the modules and goes on in the tree. From there on all kernels are the same.

# What guest/first runs, and what it loads: the devices of start_qemu that the guest needs.
readonly FIRST_PROGRAMS=(/usr/bin/dash /usr/bin/mount /usr/sbin/insmod /usr/sbin/switch_root)
readonly FIRST_MODULES=(virtio_pci virtiofs virtio_console)

# root_get: sets ROOT_PARAMETERS and ROOT_DEVICES, the kernel's and QEMU's arguments.
root_get() {
    if [[ -z $(find "$MODULES" -name 'virtiofs.ko*') ]]; then
        ROOT_PARAMETERS="root=rootfs rootfstype=virtiofs rw init=/vm/guest/init"
        ROOT_DEVICES=()
        return
    fi
    local kernel=${VMLINUZ%/vmlinuz}
    # The kernel's key has its version, that of the root file system what its programs are.
    cache_entry "first-${kernel##*/}-${ROOTFS##*/}-$(recipe_hash host/root.sh guest/first)" first_build
    ROOT_PARAMETERS="root=/dev/nvme0n1 rootfstype=ext4 ro rootwait init=/first"
    ROOT_DEVICES=(-drive "file=$ENTRY/image,format=raw,if=none,id=first,readonly=on"
        -device "nvme,drive=first,serial=first")
}

# first_build DIR: makes DIR/image.
first_build() {
    local dir=$1 tree=$1/tree name
    say "making the image that the kernel begins in"
    mkdir -p "$tree"/{dev,new,modules,usr/bin,usr/sbin,usr/lib,usr/lib64}
    for name in bin sbin lib lib64; do
        ln -s "usr/$name" "$tree/$name"
    done
    first_programs "$tree"
    first_modules "$dir" "$tree/modules"
    cp "$HERE/guest/first" "$tree/first"
    # The kernel writes what it and the first program say there.
    mknod -m 0600 "$tree/dev/console" c 5 1
    mke2fs -q -t ext4 -O ^has_journal -m 0 -d "$tree" "$dir/image" 32M >"$dir/log" 2>&1 ||
        { cat "$dir/log" >&2; die "mke2fs failed"; }
    rm -rf -- "$tree" "$dir/lib"
}

# first_programs TREE: copies them with their libraries out of the guest's root file system.
first_programs() {
    local tree=$1 file
    chroot "$ROOTFS" ldd "${FIRST_PROGRAMS[@]}" | grep -o '/[^ :]*' | sort -u |
        while read -r file; do
            mkdir -p "$tree$(dirname "$file")"
            cp "$ROOTFS$file" "$tree$file"
        done
}

# first_modules DIR TO: copies the modules and what they depend on, numbered in the order of loading.
first_modules() {
    local dir=$1 to=$2 module number=100 file
    # modprobe looks in lib/modules below its base directory.
    mkdir "$dir/lib"
    ln -s "$MODULES" "$dir/lib/modules"
    for module in "${FIRST_MODULES[@]}"; do
        modprobe -d "$dir" -S "$(ls "$MODULES")" --show-depends "$module" ||
            die "the kernel has no module $module"
    done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' >"$dir/order"
    while read -r file; do
        cp "$file" "$to/$number-${file##*/}"
        number=$((number + 1))
    done <"$dir/order"
}
