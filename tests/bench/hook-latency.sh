#!/bin/sh
# The hook's latency against C programs with the same system calls. usage: hook-latency.sh BUILD_DIR
# The last line is JSON: ratios of medians (and _p10: of 10th percentiles), system calls, and the longest run with a hung engine in ms.
set -eu
build=$(cd "$1" && pwd)
here=$build/tests/bench/hook_latency
# Copies, as an installation makes them: how a linker writes a file shows in the page faults of running it.
installed=$here/installed
rm -rf "$installed"
mkdir "$installed"
cp "$build/hook/cgtide-hook" "$here/hook_latency_reference" "$here/hook_latency_reader" "$installed"
# The run folder is a tmpfs, as /run is.
if [ -w /dev/shm ]; then
    export TMPDIR=/dev/shm
fi
exec "$here/hook_latency" "$installed"
