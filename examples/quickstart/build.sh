#!/bin/bash
# Builds what the quickstart needs and installs it into a folder.
#
# usage: build.sh TREE BUILD STAGE
set -euo pipefail

readonly TREE=$1 BUILD=$2 STAGE=$3

cd "$TREE"
cmake --preset release
# Not by way of cmake, which does not pass a signal on.
ninja -C "$BUILD" cgtided cgtide cgtide-hook cgtide_workload
rm -rf -- "$STAGE"
# Without debugging information the virtual machine loads them faster.
DESTDIR=$STAGE cmake --install "$BUILD" --prefix /usr --strip >/dev/null
install -m 0755 -s "$BUILD/tests/vm/workload/cgtide_workload" "$STAGE/usr/bin/cgtide-workload"
mkdir "$STAGE/opt"
cp -r "$TREE/examples/quickstart" "$STAGE/opt/quickstart"
