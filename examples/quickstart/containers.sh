# shellcheck shell=bash
# The engine, its control groups, and the three containers. Sourced by run.sh, which sets STAGE,
# OUT, WORK, RUN_DIR and RUNTIME, and defines say and die.

readonly CGROUPS=/sys/fs/cgroup
readonly GROUP=$CGROUPS/quickstart
readonly NAMES=(cold hot plain)
# Mebibytes that each container touches again and again, and once.
declare -rA HOT=([cold]=16 [hot]=48 [plain]=16) COLD=([cold]=96 [hot]=0 [plain]=32)

# groups_make: makes /quickstart, with a group for the engine in it: an engine without a service
# manager would use /cgtide, which another one on this machine may own.
groups_make() {
    if [[ -d $GROUP ]]; then
        grep -qx 'populated 0' "$GROUP/cgroup.events" ||
            die "the control group /quickstart has processes: is another quickstart running?"
        GROUPS_MADE=yes
        groups_remove
    fi
    grep -qw memory "$CGROUPS/cgroup.subtree_control" ||
        echo +memory >"$CGROUPS/cgroup.subtree_control"
    mkdir "$GROUP"
    GROUPS_MADE=yes
    echo +memory >"$GROUP/cgroup.subtree_control"
    mkdir "$GROUP/engine"
}

# groups_remove: ends what is left in the groups, then removes them.
groups_remove() {
    [[ -n $GROUPS_MADE && -d $GROUP ]] || return 0
    local tries group
    echo 1 >"$GROUP/cgroup.kill"
    for ((tries = 0; tries < 100; tries++)); do
        while IFS= read -r group; do
            rmdir "$group" 2>/dev/null || true
        done < <(find "$GROUP" -depth -type d 2>/dev/null)
        [[ -d $GROUP ]] || return 0
        sleep 0.1
    done
}

engine_cli() { "$STAGE/usr/bin/cgtide" --socket "$RUN_DIR/cgtide.sock" "$@"; }

# engine_start: runs cgtided until it answers. strace keeps which files and processes it opens.
engine_start() {
    (
        echo "$BASHPID" >"$GROUP/engine/cgroup.procs"
        # As a service manager does, so that the engine stays in this group.
        export INVOCATION_ID=quickstart
        unset JOURNAL_STREAM NOTIFY_SOCKET LISTEN_FDS LISTEN_PID
        # -D: the process that this shell knows is the engine, not strace.
        exec strace -D -f -qq -y --seccomp-bpf -e 'trace=?open,?creat,openat,openat2,pidfd_open' \
            -e signal=none -o "$OUT/opens.strace" \
            "$STAGE/usr/sbin/cgtided" --run-dir "$RUN_DIR" --config "$HERE/cgtide.toml"
    ) </dev/null >"$OUT/engine.log" 2>&1 &
    ENGINE_PID=$!
    local deadline=$((SECONDS + 60))
    until engine_cli ps >/dev/null 2>&1; do
        kill -0 "$ENGINE_PID" 2>/dev/null || die "cgtided ended: $(tail -n 5 "$OUT/engine.log")"
        ((SECONDS < deadline)) || die "cgtided does not answer: $(tail -n 5 "$OUT/engine.log")"
        sleep 0.2
    done
}

# engine_end: stops the engine, by force where a request is not enough. Returns its exit status.
engine_end() {
    local pid=$ENGINE_PID status=0
    [[ -n $pid ]] || return 0
    ENGINE_PID=''
    kill -TERM "$pid" 2>/dev/null || true
    timeout 20 tail --pid="$pid" -s 0.1 -f /dev/null || kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" || status=$?
    return "$status"
}

# runtime ARG...: the runtime, with a state folder of its own.
runtime() { "$RUNTIME" --root "$WORK/state" "$@"; }

# container_make NAME: writes the bundle. Each has its own copy of the program: of shared pages one
# container's reclaim would be another's fault. All have the hook; the annotations decide.
container_make() {
    local name=$1 bundle=$WORK/$1 hooks
    mkdir -p "$bundle"/rootfs/{bin,dev,proc,out}
    cp "$STAGE/usr/bin/cgtide-workload" "$bundle/rootfs/bin/"
    hooks=$(engine_cli hooks --hook "$STAGE/usr/libexec/cgtide/cgtide-hook")
    jq --arg name "$name" --arg out "$OUT" --arg run "$RUN_DIR" --argjson hooks "$hooks" \
        --arg hot "${HOT[$name]}MiB" --arg cold "${COLD[$name]}MiB" '
        .hostname = $name
        | .linux.cgroupsPath = "/quickstart/" + $name
        | .process.args += ["--hot", $hot, "--cold", $cold, "--sample", "2s",
                            "--report", "/out/" + $name + ".jsonl"]
        | (.mounts[] | select(.destination == "/out") | .source) = $out
        | if $name == "plain" then del(.annotations) else .annotations["cgtide.io/name"] = $name end
        | . + $hooks | (.hooks[][].args) += ["--run-dir", $run, "--budget", "1500"]' \
        "$HERE/bundle.json" >"$bundle/config.json"
}

containers_start() {
    local name
    for name in "${NAMES[@]}"; do
        container_make "$name"
        # The container keeps these descriptors open.
        runtime run --detach --bundle "$WORK/$name" "$name" </dev/null >"$WORK/$name/output" 2>&1 ||
            die "$RUNTIME cannot start $name: $(<"$WORK/$name/output")"
    done
    for name in cold hot; do
        engine_cli inspect "$name" >/dev/null || die "the hook did not register $name:" \
            "$(cat "$WORK/$name/output" "$OUT/engine.log")"
    done
}

# containers_stop: ends the containers as their users would, and waits for each.
containers_stop() {
    local name deadline=$((SECONDS + 60))
    for name in "${NAMES[@]}"; do
        runtime kill "$name" TERM
    done
    for name in "${NAMES[@]}"; do
        until [[ $(runtime state "$name" | jq -r .status) == stopped ]]; do
            ((SECONDS < deadline)) || die "$name does not end"
            sleep 0.2
        done
        runtime delete "$name"
    done
}

# containers_remove: removes those that are left, running or not.
containers_remove() {
    local state
    for state in "$WORK"/state/*; do
        [[ ! -d $state ]] || runtime delete --force "${state##*/}" >/dev/null 2>&1 || true
    done
}
