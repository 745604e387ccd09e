#!/bin/bash
# The quickstart's main job; examples/quickstart.sh starts it, with its own part in the stage

# shellcheck source=tests/vm/guest/lib.sh
. /vm/guest/lib.sh

readonly MAIN_JOB=/opt/quickstart/run.sh
[[ -x $MAIN_JOB ]] || fail "no $MAIN_JOB: the stage must be that of examples/quickstart.sh"
exec "$MAIN_JOB" --out /out --runtime "$RUNTIME" --place vm "$@"
