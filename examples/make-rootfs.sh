#!/bin/sh
# Makes BUNDLE/rootfs out of one program of this machine and the libraries it needs. usage: make-rootfs.sh BUNDLE PROGRAM
set -eu
if [ $# -ne 2 ] || [ ! -d "$1" ] || [ ! -x "$2" ]; then
    echo "usage: make-rootfs.sh BUNDLE PROGRAM (a folder, and the path of a program such as /bin/sleep)" >&2
    exit 2
fi
rootfs=$1/rootfs
program=$2
mkdir -p "$rootfs/bin" "$rootfs/proc" "$rootfs/dev"
cp -L "$program" "$rootfs/bin/"
# ldd fails for a static program, which needs nothing else.
libraries=$(ldd "$program" 2>/dev/null | grep -o '/[^ ]*' || true)
for library in $libraries; do
    mkdir -p "$rootfs${library%/*}"
    cp -L "$library" "$rootfs$library"
done
