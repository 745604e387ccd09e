#!/bin/bash
# The engine's CPU for one container and period, without the kernel's part. usage: hot-paths.sh BUILD_DIR
set -euo pipefail
out=$(mktemp)
trap 'rm -f "$out"' EXIT
"$1/tests/bench/hot_paths/hot_paths" --benchmark_out="$out" --benchmark_out_format=json >&2
jq -c '[.benchmarks[] | {key: (.name + "_ns"), value: (.cpu_time * 10 | round / 10)}] | from_entries' "$out"
