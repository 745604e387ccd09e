"""Samples what the reclaim bench holds controllers against, in the guest. usage: sampler.py OUT SECONDS [CPU_PID]

Appends a line of JSON to OUT each SECONDS until SIGTERM: usage, swap, refaults, major faults and stalls of each container, which are
the groups in WEB (annotated) and PLAIN below the cgroup mount; swap of all that is not in WEB; zram's memory; the CPU of the process
CPU_PID and whether it lives, and beside it the CPU of monitoring: cgtided's threads that sense, and DAMON's workers."""

import json
import os
import sys
import time

CGROUPS = "/sys/fs/cgroup/"
WEB, PLAIN = "web", "plain"
TICKS = os.sysconf("SC_CLK_TCK")


def text(path):
    try:
        with open(path, encoding="ascii") as file:
            return file.read()
    except OSError:
        return ""


def number(path):
    return int(text(path) or 0)


def stat_of(group):
    return {key: int(value) for key, value in (line.split() for line in text(CGROUPS + group + "/memory.stat").splitlines())}


def stall(group, resource):
    line = text(f"{CGROUPS}{group}/{resource}.pressure").split("\n")[0]
    return int(line.rpartition("total=")[2] or 0)


def group_sample(group):
    stat = stat_of(group)
    refaults = stat.get("workingset_refault_anon", 0) + stat.get("workingset_refault_file", 0)
    return {
        "usage": number(CGROUPS + group + "/memory.current"),
        "swap": number(CGROUPS + group + "/memory.swap.current"),
        "file": stat.get("file", 0),
        "refaults": refaults,
        "major_faults": stat.get("pgmajfault", 0),
        "memory_stall_us": stall(group, "memory"),
        "io_stall_us": stall(group, "io"),
    }


def children(group):
    """Names of the groups in one; none where that is not there."""
    path = CGROUPS + group
    return [name for name in os.listdir(path) if os.path.isdir(f"{path}/{name}")] if os.path.isdir(path) else []


def foreign_swap():
    """Bytes in swap that belong to nobody in WEB."""
    return sum(number(f"{CGROUPS}{name}/memory.swap.current") for name in children("") if name != WEB)


def lives(pid):
    """Whether a process is there and has not ended; one that nobody has waited for has."""
    state = text(f"/proc/{pid}/stat").rpartition(") ")[2][:1]
    return state not in ("", "Z", "X")


def cpu_seconds(pid):
    """CPU of a process, of all its threads."""
    fields = text(f"/proc/{pid}/stat").rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS if fields else 0.0


def sensor_seconds(pid):
    """Of these, the CPU of threads that sense: what cgtided's names say."""
    total = 0.0
    for task in os.listdir(f"/proc/{pid}/task") if os.path.isdir(f"/proc/{pid}/task") else []:
        if text(f"/proc/{pid}/task/{task}/comm").strip() in ("cgtide-sensors", "cgtide-damon", "cgtide-walkers"):
            total += cpu_seconds(f"{pid}/task/{task}")
    return total


def kdamonds():
    """Processes of the kernel that DAMON's workers are, found anew each time: a commit may replace them."""
    pids = (name for name in os.listdir("/proc") if name.isdigit())
    return [pid for pid in pids if text(f"/proc/{pid}/comm").startswith("kdamond.")]


def main():
    out, seconds, pids = sys.argv[1], float(sys.argv[2]), [pid for pid in sys.argv[3:] if pid]
    workers = {}
    following = time.monotonic()
    with open(out, "a", encoding="ascii", buffering=1) as file:
        while True:
            for pid in kdamonds():
                workers[pid] = cpu_seconds(pid)
            zram = text("/sys/block/zram0/mm_stat").split()
            groups = [f"{parent}/{name}" for parent in (WEB, PLAIN) for name in children(parent)]
            sample = {
                "t": time.monotonic(),
                "groups": {group: group_sample(group) for group in groups},
                "foreign_swap": foreign_swap(),
                "zram": int(zram[2]) if zram else 0,
                "alive": all(lives(pid) for pid in pids),
                "cpu_s": sum(cpu_seconds(pid) - sensor_seconds(pid) for pid in pids),
                "monitor_cpu_s": sum(workers.values()) + sum(sensor_seconds(pid) for pid in pids),
                "kdamond_cpu_s": sum(workers.values()),
            }
            file.write(json.dumps(sample) + "\n")
            following += seconds
            time.sleep(max(0.0, following - time.monotonic()))


if __name__ == "__main__":
    main()
