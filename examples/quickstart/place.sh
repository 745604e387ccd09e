# shellcheck shell=bash
# Whether this machine can show cgtide itself. Sourced by quickstart.sh.

readonly PLACE_KERNEL=6.12 PLACE_SWAP_MIB=256

# place_runtime: prints the runtime that this machine has, runc before crun.
place_runtime() {
    local name
    for name in runc crun; do
        if command -v "$name" >/dev/null; then
            printf '%s\n' "$name"
            return
        fi
    done
    return 1
}

# place_lacks ROOT RUNTIME: prints what the machine whose proc and sys are below ROOT has not, as in
# "no swap and no runc"; nothing where it has all. An empty RUNTIME is any.
place_lacks() {
    local root=$1 runtime=$2 release oldest free lacks=()
    release=$(<"$root/proc/sys/kernel/osrelease")
    # Sorted by version the wanted one comes first, or is the same.
    oldest=$(printf '%s\n' "$PLACE_KERNEL" "${release%%-*}" | sort -V | head -n 1)
    [[ $oldest == "$PLACE_KERNEL" ]] || lacks+=("kernel $release, older than $PLACE_KERNEL")
    grep -qw memory "$root/sys/fs/cgroup/cgroup.controllers" 2>/dev/null ||
        lacks+=("no cgroup v2 memory controller at /sys/fs/cgroup")
    [[ -w $root/sys/fs/cgroup ]] || lacks+=("a read-only /sys/fs/cgroup")
    # The file is there and cannot be read where the kernel was told to leave it off.
    cat "$root/proc/pressure/memory" >/dev/null 2>&1 ||
        lacks+=("no pressure stall information (boot with psi=1)")
    free=$(awk '$1 == "SwapFree:" { print int($2 / 1024) }' "$root/proc/meminfo")
    ((free >= PLACE_SWAP_MIB)) || lacks+=("$free MiB of free swap, less than $PLACE_SWAP_MIB")
    if [[ -n $runtime ]]; then
        command -v "$runtime" >/dev/null || lacks+=("no $runtime")
    else
        place_runtime >/dev/null || lacks+=("neither runc nor crun")
    fi
    ((${#lacks[@]} == 0)) || printf '%s' "${lacks[0]}"
    ((${#lacks[@]} < 2)) || printf '; %s' "${lacks[@]:1}"
}
