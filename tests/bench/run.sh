#!/bin/bash
# Runs a benchmark by name. See --help.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=tests/packages.sh
. tests/packages.sh

usage() {
    cat <<'EOT'
usage: tests/bench/run.sh NAME [ARG...] | --list

Builds cgtide into build/release and runs tests/bench/NAME.sh. Its last line on stdout is one line of JSON.

exit status: the bench's; 2 wrong usage.
EOT
}

case ${1:-} in
--list)
    for file in tests/bench/*.sh; do
        name=$(basename "$file" .sh)
        [[ $name == run ]] || printf '%-16s %s\n' "$name" "$(sed -n '2s/^# *//p' "$file")"
    done
    exit 0
    ;;
-h | --help)
    usage
    exit 0
    ;;
esac
name=${1:-}
if [[ -z $name || $name == run || ! -e tests/bench/$name.sh ]]; then
    usage >&2
    exit 2
fi
shift
{
    install_packages .ci/packages tests/vm/packages
    cmake --preset release -Wno-dev
    cmake --build --preset release
} >&2
exec "tests/bench/$name.sh" build/release "$@"
