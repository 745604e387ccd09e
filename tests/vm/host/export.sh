#!/bin/bash
# Composes the tree that the guest boots from and serves it over virtiofs.
#
# Runs in a mount namespace of its own, so that every mount here ends with this process. Only `out`
# and `ctl` are writable: root in the guest can change nothing else of the host.
#
# usage: unshare --mount --propagation private export.sh DIR SOCKET ROOTFS MODULES STAGE EXTRA VM
# CTL OUT
set -euo pipefail

readonly dir=$1 socket=$2 rootfs=$3 modules=$4 stage=$5 extra=$6 vm=$7 ctl=$8 out=$9

bind_read_only() {
    mount --bind "$1" "$2"
    mount -o remount,bind,ro "$2"
}

mount -t tmpfs -o mode=0755 tree "$dir"
cd "$dir"
mkdir dev proc sys mnt root stage extra vm ctl out
# The first stage of init runs before the overlay exists and borrows the programs of the root file
# system.
for name in bin sbin lib lib64; do
    ln -s "root/usr/$name" "$name"
done
ln -s root/usr usr
bind_read_only "$rootfs" root
bind_read_only "$modules" root/usr/lib/modules
bind_read_only "$stage" stage
bind_read_only "$extra" extra
bind_read_only "$vm" vm
mount --bind "$ctl" ctl
mount --bind "$out" out

exec /usr/lib/qemu/virtiofsd "--socket-path=$socket" -f \
    -o "source=$dir" -o sandbox=chroot -o cache=always
