#!/bin/bash
# Boots a Debian kernel in QEMU and runs one scenario in it. See --help.
set -euo pipefail
# A root who came by su may lack these.
PATH=$PATH:/usr/sbin:/sbin

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly HERE
readonly DIED=125 TIMED_OUT=124 CANNOT=126 USAGE=2

say() { printf 'vm: %s\n' "$*" >&2; }
die() { say "$*"; exit "$CANNOT"; }
bad_usage() { say "$*"; say "try 'tests/vm/run.sh --help'"; exit "$USAGE"; }

# shellcheck source=tests/vm/host/cache.sh
. "$HERE/host/cache.sh"
# shellcheck source=tests/vm/host/apt.sh
. "$HERE/host/apt.sh"
# shellcheck source=tests/vm/host/kernel.sh
. "$HERE/host/kernel.sh"
# shellcheck source=tests/vm/host/rootfs.sh
. "$HERE/host/rootfs.sh"
# shellcheck source=tests/vm/host/root.sh
. "$HERE/host/root.sh"

usage() {
    cat <<'EOF'
usage: tests/vm/run.sh SCENARIO [options] [-- ARG...]

Runs tests/vm/scenarios/SCENARIO.sh as root in a virtual machine with one of Debian's stock kernels.
Its output appears here as it comes, and its exit status becomes ours. Needs root on the host, and
no KVM.

  --kernel newest|6.12|6.1
                         trixie-backports' newest, or bookworm's 6.12 or 6.1 (default: newest)
  --runtime runc|crun    RUNTIME for the scenario (default: runc)
  --timeout SECONDS      ends the machine after this time (default: 600)
  --stage DIR            a tree made by `DESTDIR=DIR cmake --install BUILD --prefix /usr`,
                         laid over the guest's root
  --build DIR            where cgtide_workload was built (default: build/release)
  --out DIR              the scenario's /out (default: a temporary directory)
  --memory MiB           the guest's memory (default: 1536)
  --swap MiB             the size of its zram swap, 0 for none (default: 512)
  --numa                 adds a second, slower node without CPUs and with as much memory again; 6.1
                         makes no memory tiers of it
  --numa-cpus            adds a second node with as much memory again, and gives each of both one CPU
  --counted              one CPU, whose clock counts its instructions, 8 ns each: neither what else the
                         host does nor what emulating costs takes time. Without a second node
  --list                 lists the scenarios
  -h, --help             prints this

Arguments after -- are the scenario's.

exit status: the scenario's; 124 out of time; 125 the guest died (after a second boot if it died
before the scenario began); 126 the machine cannot be set up; 2 wrong usage.

Kernels and root file systems are kept in ${CGTIDE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/cgtide}.
The Debian packages that the host needs stand in tests/vm/packages.

example: tests/vm/run.sh workload --kernel 6.12 --runtime crun
EOF
}

list_scenarios() {
    local file
    for file in "$HERE"/scenarios/*.sh; do
        # The second line of a scenario says in a comment what it shows.
        printf '%-16s %s\n' "$(basename "$file" .sh)" "$(sed -n '2s/^# *//p' "$file")"
    done
}

# recipe_hash FILE...: prints a short hash of files below tests/vm, as part of a cache key.
recipe_hash() {
    (cd "$HERE" && cat "$@") | sha256sum | cut -c1-16
}

# number OPTION VALUE MINIMUM
number() {
    [[ $2 =~ ^(0|[1-9][0-9]{0,6})$ ]] || bad_usage "$1 wants a whole number, not '$2'"
    (($2 >= $3)) || bad_usage "$1 must be at least $3, not $2"
}

# directory OPTION VALUE
directory() {
    [[ -d $2 ]] || bad_usage "$1: '$2' is not a directory"
}

parse_arguments() {
    SCENARIO='' KERNEL=newest RUNTIME=runc LIMIT=600 STAGE='' OUT='' MEMORY=1536 SWAP=512 NUMA='' COUNTED=''
    BUILD=$HERE/../../build/release SCENARIO_ARGUMENTS=()
    while (($#)); do
        case $1 in
            --kernel | --runtime | --timeout | --stage | --build | --out | --memory | --swap)
                (($# > 1)) || bad_usage "$1 wants a value"
                set_option "$1" "$2"
                shift
                ;;
            --numa) NUMA=yes ;;
            --numa-cpus) NUMA=cpus ;;
            --counted) COUNTED=yes ;;
            --list)
                list_scenarios
                exit
                ;;
            -h | --help)
                usage
                exit
                ;;
            --)
                shift
                SCENARIO_ARGUMENTS=("$@")
                break
                ;;
            -*) bad_usage "unknown option '$1'" ;;
            *)
                [[ -z $SCENARIO ]] || bad_usage "one scenario at a time: '$SCENARIO', '$1'"
                SCENARIO=$1
                ;;
        esac
        shift
    done
    [[ -z $COUNTED || -z $NUMA ]] || bad_usage "--counted has one CPU, and --numa and --numa-cpus two"
    [[ -n $SCENARIO ]] || bad_usage "which scenario? (see --list)"
    [[ $SCENARIO =~ ^[a-z0-9_-]+$ && -f $HERE/scenarios/$SCENARIO.sh ]] ||
        bad_usage "no scenario '$SCENARIO' (see --list)"
}

# set_option OPTION VALUE
set_option() {
    case $1 in
        --kernel)
            [[ $2 == newest || $2 == 6.12 || $2 == 6.1 ]] ||
                bad_usage "--kernel is newest, 6.12 or 6.1, not '$2'"
            KERNEL=$2
            ;;
        --runtime)
            [[ $2 == runc || $2 == crun ]] || bad_usage "--runtime is runc or crun, not '$2'"
            RUNTIME=$2
            ;;
        --timeout) number "$1" "$2" 1 && LIMIT=$2 ;;
        --memory) number "$1" "$2" 256 && MEMORY=$2 ;;
        --swap) number "$1" "$2" 0 && SWAP=$2 ;;
        --stage) directory "$1" "$2" && STAGE=$(realpath "$2") ;;
        --build) directory "$1" "$2" && BUILD=$2 ;;
        --out) mkdir -p "$2" && OUT=$(realpath "$2") ;;
    esac
}

check_host() {
    local pair name workload=$BUILD/tests/vm/workload/cgtide_workload
    ((EUID == 0)) || die "must run as root: the guest's root file system has files of many owners"
    [[ $(uname -m) == x86_64 ]] || die "the guest is x86_64, this machine is $(uname -m)"
    local missing=()
    for pair in qemu-system-x86_64:qemu-system-x86 /usr/lib/qemu/virtiofsd:qemu-system-common \
        mmdebstrap:mmdebstrap depmod:kmod mke2fs:e2fsprogs unshare:util-linux setpriv:util-linux \
        flock:util-linux; do
        command -v "${pair%:*}" >/dev/null || missing+=("${pair#*:}")
    done
    [[ -f $ARCHIVE_KEYRING ]] || missing+=(debian-archive-keyring)
    if ((${#missing[@]})); then
        die "missing here; install: apt-get install --no-install-recommends ${missing[*]}"
    fi
    [[ -x $workload ]] || die "no $workload; build the target cgtide_workload, or see --build"
    for name in bin sbin lib lib64; do
        # Such a directory would hide the link of the same name that points into /usr.
        [[ -z $STAGE || ! -e $STAGE/$name ]] || die "$STAGE has /$name; install with --prefix /usr"
    done
}

# end_process PID...: ends the processes, by force where a request is not enough.
end_process() {
    local pid
    for pid in "$@"; do
        kill -TERM "$pid" 2>/dev/null || continue
        timeout 5 tail --pid="$pid" -f /dev/null || kill -KILL "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
}

# shellcheck disable=SC2317 # a trap calls it
clean_up() {
    trap '' INT TERM HUP
    end_process "${PROCESSES[@]}"
    [[ -z $BUILDING ]] || rm -rf -- "$BUILDING" "$BUILDING.work"
    [[ -z $WORK ]] || rm -rf -- "$WORK"
}

# prepare: makes WORK with what the guest gets and what it leaves.
prepare() {
    WORK=$(mktemp -d "${TMPDIR:-/tmp}/cgtide-vm.XXXXXXXX")
    mkdir -p "$WORK"/{tree,stage,extra/usr/bin,ctl,out}
    cp "$BUILD/tests/vm/workload/cgtide_workload" "$WORK/extra/usr/bin/cgtide-workload"
    local layout=$BUILD/tests/vm/layout/cgtide_layout
    [[ ! -x $layout ]] || cp "$layout" "$WORK/extra/usr/bin/cgtide-layout"
    # Test programs that ask the guest's kernel.
    local program
    for program in "$BUILD"/tests/vm/*/*_kernel_test; do
        [[ ! -x $program ]] || cp "$program" "$WORK/extra/usr/bin/"
    done
    # A temporary directory is closed to others; as the overlay's upper-most layer it would close
    # the guest's /.
    chmod 0755 "$WORK"/{extra,extra/usr,extra/usr/bin,stage}
    printf 'SWAP_MIB=%q\n' "$SWAP" >"$WORK/ctl/settings"
    {
        printf 'export RUNTIME=%q KERNEL=%q NUMA=%q\n' "$RUNTIME" "$KERNEL" "$NUMA"
        printf 'exec bash %q' "/vm/scenarios/$SCENARIO.sh"
        ((${#SCENARIO_ARGUMENTS[@]} == 0)) || printf ' %q' "${SCENARIO_ARGUMENTS[@]}"
        printf '\n'
    } >"$WORK/ctl/command"
}

# start COMMAND...: runs a command in the background that ends when this shell does, and sets
# STARTED to its pid.
start() {
    setpriv --pdeathsig KILL "$@" &
    STARTED=$!
    PROCESSES+=("$STARTED")
}

start_virtiofsd() {
    start unshare --mount --propagation private "$HERE/host/export.sh" "$WORK/tree" "$WORK/socket" \
        "$ROOTFS" "$MODULES" "${STAGE:-$WORK/stage}" "$WORK/extra" "$HERE" "$WORK/ctl" \
        "${OUT:-$WORK/out}" \
        </dev/null >"$WORK/virtiofsd.log" 2>&1
    local pid=$STARTED tries
    for ((tries = 0; tries < 200; tries++)); do
        [[ ! -S $WORK/socket ]] || return 0
        [[ -d /proc/$pid ]] || break
        sleep 0.05
    done
    cat "$WORK/virtiofsd.log" >&2
    die "virtiofsd did not start"
}

# memory_arguments: sets MEMORY_ARGUMENTS. virtiofs needs memory that the daemon can map.
memory_arguments() {
    MEMORY_ARGUMENTS=(-object "memory-backend-memfd,id=m0,size=${MEMORY}M,share=on")
    if [[ -z $NUMA ]]; then
        MEMORY_ARGUMENTS+=(-m "$MEMORY" -machine q35 -numa "node,memdev=m0")
        return
    fi
    if [[ $NUMA == cpus ]]; then
        MEMORY_ARGUMENTS+=(-m "$((2 * MEMORY))" -machine q35
            -object "memory-backend-memfd,id=m1,size=${MEMORY}M,share=on"
            -numa "node,nodeid=0,cpus=0,memdev=m0" -numa "node,nodeid=1,cpus=1,memdev=m1"
            -numa "dist,src=0,dst=1,val=20")
        return
    fi
    local distance=hierarchy=memory,data-type=access
    MEMORY_ARGUMENTS+=(-m "$((2 * MEMORY))" -machine "q35,hmat=on"
        -object "memory-backend-memfd,id=m1,size=${MEMORY}M,share=on"
        -numa "node,nodeid=0,cpus=0-1,memdev=m0,initiator=0"
        -numa "node,nodeid=1,memdev=m1,initiator=0"
        -numa "hmat-lb,initiator=0,target=0,$distance-latency,latency=10"
        -numa "hmat-lb,initiator=0,target=0,$distance-bandwidth,bandwidth=10G"
        -numa "hmat-lb,initiator=0,target=1,$distance-latency,latency=100"
        -numa "hmat-lb,initiator=0,target=1,$distance-bandwidth,bandwidth=1G")
}

start_qemu() {
    # guest/boot starts the other processor.
    local parameters="$ROOT_PARAMETERS maxcpus=1 psi=1" processors=(-accel "tcg,thread=multi" -smp 2)
    [[ -z $COUNTED ]] || processors=(-accel "tcg,thread=single" -icount shift=3 -smp 1)
    memory_arguments
    start qemu-system-x86_64 "${processors[@]}" -cpu max "${MEMORY_ARGUMENTS[@]}" \
        -nodefaults -no-user-config -display none -no-reboot \
        -kernel "$VMLINUZ" \
        -append "$parameters console=ttyS0 quiet panic=-1" "${ROOT_DEVICES[@]}" \
        -serial "file:$WORK/console" \
        -chardev "socket,id=fs,path=$WORK/socket" -device vhost-user-fs-pci,chardev=fs,tag=rootfs \
        -device virtio-serial-pci \
        -chardev "file,id=out,path=$WORK/stdout" -device virtserialport,name=stdout,chardev=out \
        -chardev "file,id=err,path=$WORK/stderr" -device virtserialport,name=stderr,chardev=err \
        -device virtio-rng-pci \
        </dev/null >"$WORK/qemu.log" 2>&1
    QEMU=$STARTED
}

# boot: runs the machine once, and sets STATUS: the scenario's, TIMED_OUT or DIED.
boot() {
    local out err timer ended pipe writer
    rm -f "$WORK"/ctl/{started,status} "$WORK"/{socket,stdout,stderr,console}
    PROCESSES=()
    start_virtiofsd
    mkfifo "$WORK/stdout" "$WORK/stderr"
    start cat "$WORK/stdout"
    out=$STARTED
    start cat "$WORK/stderr" >&2
    err=$STARTED
    start_qemu
    start sleep "$((LIMIT - SECONDS > 0 ? LIMIT - SECONDS : 1))"
    timer=$STARTED
    wait -n -p ended "$QEMU" "$timer" || true
    STATUS=$DIED
    if [[ -s $WORK/ctl/status ]]; then
        STATUS=$(<"$WORK/ctl/status")
    elif [[ $ended == "$timer" ]]; then
        STATUS=$TIMED_OUT
    fi
    end_process "$QEMU" "$timer"
    # Both pass on what is still in the pipes, then end: they see the last writer go, which is this
    # shell where QEMU never opened them.
    for pipe in "$WORK"/std{out,err}; do
        exec {writer}<>"$pipe"
        exec {writer}>&-
    done
    wait "$out" "$err" || true
    end_process "${PROCESSES[@]}"
    PROCESSES=()
}

# report_death: shows what the machine said last.
report_death() {
    say "the end of the guest's console:"
    # Without the guesses of stack traces, so that the panic's reason is never beyond the end.
    grep -v '\]  ? ' "$WORK/console" | tail -n 60 >&2 || true
    cat "$WORK/qemu.log" >&2
}

main() {
    PROCESSES=() WORK='' BUILDING='' STATUS=$DIED
    parse_arguments "$@"
    check_host
    CACHE=${CGTIDE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/cgtide}
    mkdir -p "$CACHE"
    trap clean_up EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    rootfs_get
    ROOTFS=$ENTRY
    kernel_get "$KERNEL"
    VMLINUZ=$ENTRY/vmlinuz MODULES=$ENTRY/modules
    root_get
    prepare
    SECONDS=0
    say "$SCENARIO on kernel $(ls "$MODULES") with $RUNTIME"
    boot
    if ((STATUS == DIED)) && [[ ! -e $WORK/ctl/started ]]; then
        report_death
        say "the guest died before the scenario began; booting once more (early deaths: 1)"
        boot
    fi
    if [[ ! -s $WORK/ctl/status ]]; then
        report_death
        case $STATUS in
            "$DIED") say "the guest died" ;;
            "$TIMED_OUT") say "not done after $LIMIT s" ;;
        esac
    fi
    say "$SCENARIO ended with status $STATUS after $SECONDS s"
    exit "$STATUS"
}

main "$@"
