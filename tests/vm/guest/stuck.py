"""Holds memory on a NUMA node that cannot move: huge pages and pages that pipes hold. usage: stuck.py GROUP NODE REPORT

Joins the cgroup, takes 16 MiB of each kind on the node, and uses them until SIGTERM. Appends a line of JSON to REPORT each second: bytes of
each kind by node, as /proc/self/numa_maps has them."""

import ctypes
import fcntl
import json
import mmap
import os
import re
import sys
import time

MIB = 1 << 20
SIZE = 16 * MIB
PAGE = 4096
MAP_HUGETLB, F_SETPIPE_SZ = 0x40000, 1031
MPOL_DEFAULT, MPOL_PREFERRED = 0, 1
SYS_SET_MEMPOLICY = 238

libc = ctypes.CDLL(None, use_errno=True)


class Iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


def check(result, what):
    if result < 0:
        raise OSError(ctypes.get_errno(), what)
    return result


def prefer(node):
    mask = ctypes.c_ulong(0 if node is None else 1 << node)
    mode = MPOL_DEFAULT if node is None else MPOL_PREFERRED
    check(libc.syscall(SYS_SET_MEMPOLICY, mode, ctypes.byref(mask) if node is not None else None, 64 if node is not None else 0), "set_mempolicy")


def address(memory):
    return ctypes.addressof(ctypes.c_char.from_buffer(memory))


def use(memory):
    for at in range(0, SIZE, PAGE):
        memory[at] = (memory[at] + 1) & 255


def held_by_pipes(memory):
    """Pipes that have every page of it: a page with an owner more than its tables does not move."""
    pipes = []
    for at in range(0, SIZE, MIB):
        reader, writer = os.pipe()
        fcntl.fcntl(writer, F_SETPIPE_SZ, MIB)
        check(libc.vmsplice(writer, ctypes.byref(Iovec(address(memory) + at, MIB)), ctypes.c_ulong(1), 0), "vmsplice")
        pipes.append((reader, writer))
    return pipes


def on_nodes(start):
    """Bytes of the mapping at an address by node."""
    with open("/proc/self/numa_maps", encoding="ascii") as maps:
        for line in maps:
            if line.startswith(f"{start:x} "):
                size = int(re.search(r"kernelpagesize_kB=(\d+)", line).group(1)) * 1024
                return {int(node): int(pages) * size for node, pages in re.findall(r" N(\d+)=(\d+)", line)}
    return {}


def main():
    group, node, report = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    with open(f"/sys/fs/cgroup/{group}/cgroup.procs", "w", encoding="ascii") as procs:
        procs.write(str(os.getpid()))
    prefer(node)
    huge = mmap.mmap(-1, SIZE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_HUGETLB)
    piped = mmap.mmap(-1, SIZE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    use(huge)
    use(piped)
    pipes = held_by_pipes(piped)
    prefer(None)
    with open(report, "a", encoding="ascii", buffering=1) as file:
        while pipes:
            row = {"event": "sample", "huge": on_nodes(address(huge)).get(node, 0), "piped": on_nodes(address(piped)).get(node, 0)}
            file.write(json.dumps(row, separators=(",", ":")) + "\n")
            end = time.monotonic() + 1
            while time.monotonic() < end:
                use(huge)
                use(piped)


if __name__ == "__main__":
    main()
