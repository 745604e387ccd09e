#!/bin/bash
# The guest has what other scenarios rely on: memory controller, PSI, swap, MGLRU, DAMON

# shellcheck source=tests/vm/guest/lib.sh
. /vm/guest/lib.sh

# file_says FILE TEXT: whether the file's first line has the text.
file_says() {
    local line
    read -r line <"$1" && [[ $line == *"$2"* ]]
}

kernel_is_asked() {
    local release
    release=$(uname -r)
    case $KERNEL in
        6.*) [[ $release == "$KERNEL".* ]] ;;
        newest) [[ $(printf '%s\n' 7.3 "$release" | sort -V | head -n 1) == 7.3 ]] ;;
    esac
}

step "kernel $(uname -r), $(nproc) processors, $RUNTIME"
expect "not the kernel '$KERNEL'" kernel_is_asked
[[ $(nproc) == 2 ]] || fail "not two processors: $(nproc)"
expect "no runtime" "$RUNTIME" --version

step "control groups"
[[ $(stat -f -c %T "$CGROUPS") == cgroup2fs ]] || fail "$CGROUPS is not cgroup v2"
for controller in memory cpu pids; do
    expect "no $controller controller" file_says "$CGROUPS/cgroup.subtree_control" "$controller"
done
expect "not in the scenario's group" file_says /proc/self/cgroup 0::/scenario
grep -q memory_recursiveprot /proc/mounts || fail "cgroup2 is mounted without memory_recursiveprot"
mkdir "$CGROUPS/probe"
for file in memory.current memory.reclaim memory.stat memory.swap.current memory.events; do
    [[ -e $CGROUPS/probe/$file ]] || fail "no $file in a control group"
done

step "PSI"
for file in /proc/pressure/memory "$CGROUPS"/probe/{memory,io}.pressure; do
    expect "no pressure in $file" file_says "$file" some
done
rmdir "$CGROUPS/probe"

step "swap"
swap=$(swapon --noheadings --bytes --show=NAME,SIZE)
[[ $swap == /dev/zram0* ]] || fail "no swap on zram: '$swap'"

step "MGLRU"
lru_gen=$(</sys/kernel/mm/lru_gen/enabled)
if [[ $KERNEL == 6.1 ]]; then
    ((lru_gen == 0)) || fail "MGLRU, which Debian leaves off, is on: $lru_gen"
else
    ((lru_gen & 1)) || fail "MGLRU is off: $lru_gen"
fi
grep -q '/scenario$' /sys/kernel/debug/lru_gen || fail "lru_gen does not list this group"

step "DAMON and BTF"
[[ -r /sys/kernel/btf/vmlinux ]] || fail "no BTF"
if [[ $KERNEL == 6.1 ]]; then
    [[ ! -e /sys/kernel/mm/damon ]] || fail "6.1 has DAMON"
else
    [[ -d /sys/kernel/mm/damon/admin/kdamonds ]] || fail "no DAMON in sysfs"
fi
if [[ $KERNEL == newest ]]; then
    expect "DAMON_STAT is not on" file_says /sys/module/damon_stat/parameters/enabled Y
else
    [[ ! -e /sys/module/damon_stat ]] || fail "$KERNEL has DAMON_STAT"
fi

step "the shared directory and the programs laid over the root"
echo "$RUNTIME" >/out/boot.txt
[[ -x /usr/bin/cgtide-workload ]] || fail "no workload"
for name in /vm/guest/lib.sh /usr/lib/modules/"$(uname -r)"/modules.dep; do
    [[ -e $name ]] || fail "no $name"
done

if [[ $NUMA == yes ]]; then
    step "NUMA"
    [[ -d /sys/devices/system/node/node1 ]] || fail "no second node"
    tiers=$(cat /sys/devices/virtual/memory_tiering/memory_tier*/nodelist | paste -sd' ')
    if [[ $KERNEL == 6.1 ]]; then
        # It makes no tiers of the firmware's word (HMAT).
        [[ $tiers == 0-1 ]] || fail "not one tier for both nodes: '$tiers'"
    else
        [[ $tiers == "0 1" ]] || fail "not one tier a node: '$tiers'"
    fi
fi
step "all there"
