#!/bin/bash
# Builds cgtide and runs its tests. See --help.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tests/packages.sh
. tests/packages.sh

usage() {
    cat <<'EOT'
usage: tests/run.sh [--all | --quick]

Installs what is missing (as root, Debian 12), builds into build/release and runs the tests.

  (nothing)  unit, integration, fuzz smoke, and the virtual machine with the newest kernel
  --all      also kernels 6.12 and 6.1, the long scenarios, and ThreadSanitizer
  --quick    unit and integration alone
  -h, --help prints this

exit status: 0 all passed, 1 some failed, 2 wrong usage. The last line names what was not run.
EOT
}

mode=default
case ${1:-} in
'') ;;
--all) mode=all ;;
--quick) mode=quick ;;
-h | --help)
    usage
    exit 0
    ;;
*)
    usage >&2
    exit 2
    ;;
esac

failed=0
started=$SECONDS

# stage NAME COMMAND...: runs it and tells how long it took.
stage() {
    local name=$1 begin=$SECONDS status=0
    shift
    printf '== %s\n' "$name"
    "$@" || status=$?
    if ((status == 0)); then
        printf '== %s: passed in %d s\n' "$name" $((SECONDS - begin))
    else
        printf '== %s: FAILED after %d s\n' "$name" $((SECONDS - begin))
        failed=$((failed + 1))
    fi
}

# must NAME COMMAND...: a stage that the others need.
must() {
    stage "$@"
    ((failed == 0)) || exit 1
}

# build PRESET [BUILD-ARGUMENT...]
# shellcheck disable=SC2317 # called by stage
build() {
    local preset=$1
    shift
    cmake --preset "$preset" -Wno-dev >/dev/null && cmake --build --preset "$preset" "$@"
}

# tests PRESET CTEST-ARGUMENT...
# shellcheck disable=SC2317 # called by stage
tests() {
    local preset=$1
    shift
    ctest --test-dir "build/$preset" --output-on-failure --no-tests=error "$@"
}

# An emulated processor stands still for seconds on a busy host, and may run 15 times slower for as long
# as its translation cache has the wrong size. What fails is run once more; its first output stays in
# view.
vm_attempts=(--repeat until-pass:2)
packages=(.ci/packages)
[[ $mode == quick ]] || packages+=(tests/vm/packages)
must packages install_packages "${packages[@]}"
must "build release" build release
stage "unit and integration" tests release -L '^(unit|integration)$' -j 2
if [[ $mode != quick ]]; then
    must "build fuzz" build fuzz --target fuzzers
    stage "fuzz smoke" tests fuzz -L '^fuzz$' -j 2
    stage "virtual machine, newest kernel" tests release -L '^vm$' "${vm_attempts[@]}"
fi
if [[ $mode == all ]]; then
    stage "virtual machine, other kernels and long scenarios" tests release -L '^vm-all$' \
        "${vm_attempts[@]}"
    must "build tsan" build tsan
    stage "thread sanitizer" tests tsan -L '^(unit|integration)$' -j 2
fi

printf '== %d stages failed; %d minutes\n' "$failed" $(((SECONDS - started + 59) / 60))
case $mode in
quick) echo "not run: fuzz, virtual machine (tests/run.sh), kernels 6.12 and 6.1, tsan (tests/run.sh --all)" ;;
default) echo "not run: kernels 6.12 and 6.1, long scenarios, tsan (tests/run.sh --all), benches (tests/bench/run.sh)" ;;
all) echo "not run: benches (tests/bench/run.sh)" ;;
esac
((failed == 0))
