#!/bin/bash
# The engine's cost with 0, 100 and 1,000 containers on a fake tree. usage: engine-idle.sh BUILD_DIR [SECONDS]
set -euo pipefail
build=$(cd "$1" && pwd)
# The fake tree is on tmpfs, as /run and cgroupfs are in memory.
if [[ -w /dev/shm ]]; then
    export TMPDIR=/dev/shm
fi
exec "$build/tests/bench/engine_idle/engine_idle" "$build/engine/cgtided" "${2:-30}"
