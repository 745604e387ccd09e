"""Locks so much of a NUMA node that MIB mebibytes of it stay free, says so in the file READY, and holds it until it ends. usage:
ballast.py NODE MIB READY"""

import ctypes
import mmap
import os
import re
import signal
import sys

MIB = 1 << 20
BIND = 2  # MPOL_BIND of linux/mempolicy.h
SET_MEMPOLICY = 238  # __NR_set_mempolicy on x86_64


def free_bytes(node):
    with open(f"/sys/devices/system/node/node{node}/meminfo", encoding="ascii") as file:
        return int(re.search(r"MemFree:\s+(\d+) kB", file.read()).group(1)) * 1024


def main():
    node, room, ready = int(sys.argv[1]), int(sys.argv[2]) * MIB, sys.argv[3]
    libc = ctypes.CDLL(None, use_errno=True)
    size = free_bytes(node) - room
    if size > 0:
        mask = ctypes.c_ulong(1 << node)
        if libc.syscall(SET_MEMPOLICY, BIND, ctypes.byref(mask), 64) != 0:
            sys.exit(f"set_mempolicy: {os.strerror(ctypes.get_errno())}")
        memory = mmap.mmap(-1, size // mmap.PAGESIZE * mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
        if libc.mlock(ctypes.c_void_p(address), ctypes.c_size_t(len(memory))) != 0:
            sys.exit(f"mlock: {os.strerror(ctypes.get_errno())}")
    with open(ready, "w", encoding="ascii") as file:
        file.write(f"{size}\n")
    signal.pause()


if __name__ == "__main__":
    main()
