#!/bin/bash
# What a real kernel and runtime can do to cgtide, and what cgtide must not do to them

# shellcheck source=tests/vm/guest/lib.sh
. /vm/guest/lib.sh

cat >/run/cgtide.toml <<'TOML'
[reclaim]
actuator = "memory.reclaim"
[profile.eager]
ratio = 0.05
max = "5%"
period = "1s"
cpu = "80%"
[[grant]]
cgroup = "/web"
profiles = ["default", "eager"]
TOML
readonly EAGER='{"cgtide.io/apps": "stat,reclaim", "cgtide.io/profile": "eager",
    "cgtide.io/reclaim.idle": "1s", "cgtide.io/reclaim.keep": "4MiB"}'

# start ID CGROUPSPATH ANNOTATIONS: a container of 24 MiB cold and 4 MiB hot memory with cgtide's hook.
start() {
    local bundle=/run/bundles/$1
    rm -rf "$bundle" "/out/$1.jsonl"
    make_bundle "$bundle" "$1" /run/rootfs "$2" "$3" -- \
        /bin/cgtide-workload --hot 4MiB --cold 24MiB --sample 500ms --report "/out/$1.jsonl"
    add_hooks "$bundle"
    runtime_create_start "$1" "$bundle"
    wait_for 60 has_event "/out/$1.jsonl" populated
}

# last_reason NAME: the reason of its newest journal entry.
last_reason() {
    cgtide explain "$1" --json | jq -r '.entries[-1].reason'
}

last_reason_is() {
    [[ $(last_reason "$1") == "$2" ]]
}

listed() {
    cgtide ps --json | jq -e --arg name "$1" '.containers[] | select(.name == $name)' >/dev/null
}

not_listed() {
    ! listed "$1"
}

swapped() {
    (($(<"$CGROUPS/$1/memory.swap.current") > 0))
}

# left_by NAME ACTUATOR: whether bytes of it have left by that actuator.
left_by() {
    cgtide explain "$1" --json | jq -e --arg actuator "$2" \
        '.entries[] | select(.actuator == $actuator and .outcome.taken_bytes > 0)'
}

make_rootfs /run/rootfs
mkdir -p /run/bundles

step "no engine: the hook leaves its file, and an engine that starts later adopts the container"
start early /web/early "$EAGER"
(($(find /run/cgtide/containers -name '*.json' | wc -l) == 1)) || fail "no registration file"
start_engine --config /run/cgtide.toml
expect "not adopted" listed early

step "the engine hangs: a container starts all the same"
kill -STOP "$ENGINE_PID"
start hung /web/hung "$EAGER"
kill -CONT "$ENGINE_PID"
wait_for 10 listed hung
runtime_delete hung
wait_for 10 not_listed hung

step "protection: nothing is asked of a container below its own or its parent's memory.min"
start guarded /web/guarded "$EAGER"
echo 1G >"$CGROUPS/web/memory.min"
echo 512M >"$CGROUPS/web/guarded/memory.min"
wait_for 20 last_reason_is guarded protected
before=$(<"$CGROUPS/web/guarded/memory.swap.current")
repeats_reach() { (($(cgtide explain guarded --json | jq '.entries[-1].repeats') >= $1)); }
wait_for 20 repeats_reach 4
# The parent's alone: with memory_recursiveprot it is shared by usage.
echo 0 >"$CGROUPS/web/guarded/memory.min"
wait_for 20 repeats_reach 8
last_reason_is guarded protected || fail "not protected by the parent's memory.min"
[[ $(<"$CGROUPS/web/guarded/memory.swap.current") == "$before" ]] || fail "protected memory left"
echo 0 >"$CGROUPS/web/memory.min"

step "frozen: left alone, and reclaimed again once it thaws"
echo 1 >"$CGROUPS/web/guarded/cgroup.freeze"
wait_for 20 last_reason_is guarded frozen
echo 0 >"$CGROUPS/web/guarded/cgroup.freeze"
wait_for 60 swapped web/guarded

step "delegation: memory.reclaim that belongs to the container's user is written by CAP_DAC_OVERRIDE"
start delegated /web/delegated "$EAGER"
chown 1000 "$CGROUPS/web/delegated/memory.reclaim"
chmod 200 "$CGROUPS/web/delegated/memory.reclaim"
wait_for 60 left_by delegated memory.reclaim

step "rebirth: the same id and path again is another container"
old=$(cgtide inspect guarded --json | jq .detail.container.cgroup)
runtime_delete guarded
start guarded /web/guarded "$EAGER"
wait_for 10 listed guarded
new=$(cgtide inspect guarded --json | jq .detail.container.cgroup)
[[ $old != "$new" ]] || fail "the old container is still taken for the new one"

step "nesting: the outer of two registered containers is not reclaimed"
by_hand outer /web/nest "$EAGER"
outer=$!
by_hand inner /web/nest/inner '{"cgtide.io/apps": "stat"}'
inner=$!
wait_for 20 last_reason_is outer nested
kill -KILL "$inner" "$outer"
wait_for 20 not_listed outer
rmdir "$CGROUPS/web/nest/inner" "$CGROUPS/web/nest"

step "a shared cgroup is refused by name: this shell's, which is the hook's"
printf '{"ociVersion":"1.0.2","id":"shared","status":"created","pid":%d,"bundle":"/b/shared","annotations":%s}' \
    $$ "$EAGER" >/run/state.json
said=$(/usr/libexec/cgtide/cgtide-hook --budget 1500 </run/state.json 2>&1) || fail "the hook failed: $said"
[[ $said == *shared-cgroup* ]] || fail "the hook did not refuse it by name: $said"
not_listed shared || fail "a shared cgroup was registered"

step "eager without a grant is refused by name, and stat runs on"
start stranger /elsewhere/stranger "$EAGER"
wait_for 10 listed stranger
cgtide inspect stranger --json | jq -e '.detail.faults[] | select(.key == "cgtide.io/profile")' >/dev/null ||
    fail "no fault names the profile"
cgtide inspect stranger --json | jq -e '.detail.container.apps == ["stat"]' >/dev/null || fail "reclaim runs"

step "a container without annotation is not registered"
start plain /web/plain '{}'
(($(find /run/cgtide/containers -name '*.json' -exec grep -l '"plain"' {} + | wc -l) == 0)) ||
    fail "a container without annotation was registered"

step "fifty containers come and go: nothing is left"
files() { find "/proc/$ENGINE_PID/fd" | wc -l; }
before=$(files)
for i in $(seq 50); do
    by_hand "c$i" "/many/c$i" '{"cgtide.io/apps": "stat"}'
    kill -KILL $!
    wait $! 2>/dev/null || true
    rmdir "$CGROUPS/many/c$i" || fail "c$i is still in use"
done
none_of_many() { ! cgtide ps --json | jq -e '.containers[] | select(.path | startswith("/many/"))' >/dev/null; }
wait_for 30 none_of_many
no_files() { ! grep -qs '"/many/' /run/cgtide/containers/*; }
wait_for 30 no_files
after_is_before() { (($(files) <= before)); }
wait_for 30 after_is_before

step "ending"
for id in early guarded delegated stranger plain; do
    runtime_delete "$id"
done
stop_engine
! dmesg | grep -i 'type=1326' || fail "the sandbox denied a system call"
step "done"
