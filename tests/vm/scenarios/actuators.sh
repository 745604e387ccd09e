#!/bin/bash
# Each actuator of proven memory in turn on a container whose ages are known. For the bench actuators. Arguments: SECONDS KINDS ACTUATORS, both lists with commas

# shellcheck source=tests/vm/guest/lib.sh
. /vm/guest/lib.sh

readonly SECONDS_EACH=$1 BEFORE=5 KNOWN_FOR=20
IFS=, read -ra KINDS <<<"$2"
IFS=, read -ra ACTUATORS <<<"$3"
declare -rA SENSOR=([pageout]=regions [damos]=regions [reclaim-regions]=regions
    [reclaim-generations]=generations [lru_gen]=generations)
declare -rA SETTING=([pageout]=pageout [damos]=damos [reclaim-regions]=memory.reclaim
    [reclaim-generations]=memory.reclaim [lru_gen]=lru_gen)
declare -rA MEMORY=([anon]='--hot 32MiB --cold 96MiB'
    [file]='--file-hot /out/mapped/hot 16MiB --file-cold /out/mapped/cold 64MiB')
declare -rA PAGES=([anon]=all [file]=file)

# ages_are_known: whether the sensor has watched for longer than memory has to be idle.
ages_are_known() {
    cgtide idle main --json | jq -e --argjson seconds "$KNOWN_FOR" '.idle.watched_us >= $seconds * 1e6'
}

# configure ACTUATOR. An emulated machine is 10 to 30 times slower than hardware: CPU is not bounded here.
configure() {
    cat >/run/cgtide.toml <<TOML
[idle]
sensor = "${SENSOR[$1]}"
[reclaim]
actuator = "${SETTING[$1]}"
[profile.eager]
cpu = "100%"
[[grant]]
cgroup = "/web"
profiles = ["default", "eager"]
TOML
}

# run_one KIND ACTUATOR: leaves KIND.ACTUATOR.{jsonl,samples,resumed,explain} in /out.
run_one() {
    local run=/out/$1.$2 memory sampler
    step "$1: $2"
    read -ra memory <<<"${MEMORY[$1]}"
    rm -rf /run/main "$run".* /out/mapped
    mkdir /out/mapped
    configure "$2"
    start_engine --config /run/cgtide.toml
    # Until ages are known: what is of unknown age leaves by memory.reclaim, whatever is set.
    cgtide pause
    make_bundle /run/main main /run/rootfs /web/main "{
        \"cgtide.io/apps\": \"stat,reclaim\", \"cgtide.io/profile\": \"eager\", \"cgtide.io/name\": \"main\",
        \"cgtide.io/reclaim.idle\": \"10s\", \"cgtide.io/reclaim.pages\": \"${PAGES[$1]}\"}" -- \
        /bin/cgtide-workload --random 50 --sample 1s --report "$run.jsonl" "${memory[@]}"
    add_hooks /run/main
    runtime_create_start main /run/main
    wait_for 120 has_event "$run.jsonl" populated
    wait_for 120 ages_are_known
    python3 /usr/bin/cgtide-bench-sampler "$run.samples" 1 "$ENGINE_PID" &
    sampler=$!
    # The times are what is measured: nothing is waited for.
    sleep "$BEFORE"
    awk '{ print $1 }' /proc/uptime >"$run.resumed"
    cgtide resume
    sleep "$SECONDS_EACH"
    kill -TERM "$sampler"
    wait "$sampler" || true
    cgtide pause # ends what is under way: an outcome that is to come would be missing
    cgtide explain main --json >"$run.explain"
    cgtide explain main --last 8
    runtime_delete main
    stop_engine
}

make_rootfs /run/rootfs
for kind in "${KINDS[@]}"; do
    for actuator in "${ACTUATORS[@]}"; do
        [[ -n ${MEMORY[$kind]:-} && -n ${SENSOR[$actuator]:-} ]] || fail "no such kind or actuator: $kind, $actuator"
        run_one "$kind" "$actuator"
    done
done
rm -rf /out/mapped
step "done"
