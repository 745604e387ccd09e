"""Figures of the reclaim bench: a table for each case, then one line of JSON. usage: summary.py RESULTS SLOWDOWN_JSON

RESULTS holds CASE.CONTROLLER.samples (sampler.py) and CASE.CONTROLLER.CONTAINER.jsonl (cgtide-workload's reports). SLOWDOWN_JSON
may be missing.

net saved   mean over the window of (fall of usage - growth of zram's memory), of the annotated containers' usage
oracle      the same of a controller that takes each cold byte the moment it is IDLE old, and nothing else; a byte costs in
            zram what it cost cgtide
cold out    share of the truly cold bytes that are not resident at the end
hot taken   share of the hot bytes that left while they were hot, all falls added up
pressure    psi_percent is the mean; longest_pressure_s the longest time in which each second was over 0.1 %
hot out     the worst sample's share of the truly hot bytes that are not resident
cpu         of the controller's process from its start on, start-up included; monitor: of what watches idle times for it
refaults    pages; per MiB of mean net saved bytes"""

import json
import pathlib
import statistics
import sys

MIB = 1 << 20
IDLE = 10.0
TARGET = 0.001
PAGE = 4096


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


class Run:
    """One controller on one case, from the moment at which all containers were populated."""

    def __init__(self, folder, case, controller):
        self.controller = controller
        self.reports = {
            path.name.split(".")[2]: lines(path) for path in sorted(folder.glob(f"{case}.{controller}.*.jsonl"))
        }
        self.begin = max(row["t"] for rows in self.reports.values() for row in rows if row["event"] == "populated")
        samples = lines(folder / f"{case}.{controller}.samples")
        self.samples = [sample for sample in samples if sample["t"] >= self.begin]

    @property
    def first(self):
        return self.samples[0]

    @property
    def last(self):
        return self.samples[-1]

    def groups(self, annotated=True):
        return [name for name in self.first["groups"] if name.startswith("web/") == annotated]

    def total(self, sample, key, annotated=True):
        return sum(sample["groups"][name][key] for name in self.groups(annotated))

    def rise(self, key, annotated=True):
        return self.total(self.last, key, annotated) - self.total(self.first, key, annotated)

    def net_saved(self):
        def saved(sample):
            fall = self.total(self.first, "usage") - self.total(sample, "usage")
            return fall - (sample["zram"] - self.first["zram"])

        return statistics.fmean(saved(sample) for sample in self.samples)

    def zram_share(self):
        """What a swapped byte takes in zram."""
        swapped = self.rise("swap") + self.rise("swap", annotated=False)
        return (self.last["zram"] - self.first["zram"]) / swapped if swapped > MIB else 0.0

    def truth(self, kind, annotated=True):
        """(size, resident) of a kind of memory, sample by sample, summed over containers."""
        names = {name.split("/")[1] for name in self.groups(annotated)}
        rows = [[row for row in self.reports[name] if row["event"] == "sample"] for name in names]
        count = min(len(row) for row in rows)
        return [
            (sum(row[i][f"{kind}_bytes"] for row in rows), sum(row[i][f"{kind}_resident"] for row in rows)) for i in range(count)
        ]

    def out(self, kind, annotated=True):
        """Shares that are not resident, sample by sample; empty where there is no memory of that kind."""
        return [1 - resident / size for size, resident in self.truth(kind, annotated) if size > 0]

    def longest_pressure(self):
        """Seconds of the longest time in which each sample's memory pressure was over the target."""
        longest = begin = 0.0
        over = False
        for before, after in zip(self.samples, self.samples[1:]):
            stall = self.total(after, "memory_stall_us") - self.total(before, "memory_stall_us")
            if stall / 1e6 > TARGET * (after["t"] - before["t"]):
                begin = begin if over else before["t"]
                over = True
                longest = max(longest, after["t"] - begin)
            else:
                over = False
        return longest

    def hot_taken(self):
        """Share of the hot bytes that left while they were hot: falls of what is resident within one phase, added up."""
        taken = size = 0
        for rows in self.reports.values():
            size += rows[0]["hot_bytes"]
            for before, after in zip(rows, rows[1:]):
                if before.get("phase", 0) == after.get("phase", 0):
                    taken += max(0, before["hot_resident"] - after["hot_resident"])
        return taken / size

    def cold_bytes(self):
        truth = self.truth("cold")
        return truth[0][0] if truth else 0

    def oracle(self, zram_share):
        seconds = self.last["t"] - self.begin
        return self.cold_bytes() * (1 - zram_share) * max(0.0, seconds - IDLE) / seconds

    def figures(self):
        wall = self.last["t"] - self.first["t"]
        net = self.net_saved() / MIB
        refaults = self.rise("refaults")
        cold, hot = self.out("cold"), self.out("hot")
        return {
            "controller": self.controller,
            "net_saved_mib": round(net, 2),
            "cold_out_percent": round(100 * cold[-1], 2) if cold else None,
            "hot_out_percent": round(100 * max(hot), 2) if hot else None,
            "hot_taken_percent": round(100 * self.hot_taken(), 2),
            "refaults": refaults,
            "refaults_per_saved_mib": round(refaults / net, 3) if net > 1 else None,
            "psi_percent": round(100 * self.rise("memory_stall_us") / 1e6 / wall, 4),
            "longest_pressure_s": round(self.longest_pressure(), 1),
            "cpu_s": round(self.last["cpu_s"], 2),
            "monitor_cpu_s": round(self.last["monitor_cpu_s"], 2),
            "foreign_swap_mib": round(self.total(self.last, "swap", False) / MIB, 2),
            "foreign_major_faults": self.rise("major_faults", annotated=False),
        }


def table(rows):
    head = list(rows[0])
    cells = [head] + [["-" if row[key] is None else str(row[key]) for key in head] for row in rows]
    widths = [max(len(line[i]) for line in cells) for i in range(len(head))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in cells)


def better(peer, ours):
    """Whether a peer saves more (by over 2 %) and has fewer refaults."""
    return peer["net_saved_mib"] > ours["net_saved_mib"] * 1.02 and peer["refaults"] < ours["refaults"]


def ratio(above, below, digits=3):
    return round(above / below, digits) if above is not None and below else None


def summarise_case(runs):
    """The rows of a case's table, and its figures."""
    by_name = {run.controller: run for run in runs}
    rows = {name: run.figures() for name, run in by_name.items()}
    ours = rows.get("cgtide")
    out = {}
    if ours is None:
        return rows, out
    peers = [row for name, row in rows.items() if name not in ("none", "cgtide")]
    oracle = by_name["cgtide"].oracle(by_name["cgtide"].zram_share()) / MIB
    saving = [row for row in peers if row["refaults_per_saved_mib"] is not None]
    oomd = rows.get("oomd-reclaim-tuned")
    out["net_saved_to_oracle"] = ratio(ours["net_saved_mib"], oracle)
    out["peer_best_net_saved_to_oracle"] = (
        ratio(max(row["net_saved_mib"] for row in peers), oracle) if peers else None
    )
    out["cold_out_percent"] = ours["cold_out_percent"]
    out["hot_out_percent"] = ours["hot_out_percent"]
    out["hot_taken_percent"] = ours["hot_taken_percent"]
    out["refaults_per_saved_mib"] = ours["refaults_per_saved_mib"]
    out["peer_best_refaults_per_saved_mib"] = min((row["refaults_per_saved_mib"] for row in saving), default=None)
    out["cpu_ratio_to_oomd"] = ratio(ours["cpu_s"], oomd["cpu_s"]) if oomd else None
    out["foreign_bytes_reclaimed"] = round(ours["foreign_swap_mib"] * MIB)
    out["foreign_major_faults"] = ours["foreign_major_faults"]
    out["beaten_by"] = [row["controller"] for row in peers if better(row, ours)]
    return rows, out


def main():
    folder = pathlib.Path(sys.argv[1])
    slowdown = pathlib.Path(sys.argv[2])
    result = {}
    cases = {}
    for path in sorted(folder.glob("*.samples"), key=lambda path: path.stat().st_mtime):
        case, controller = path.name.split(".")[:2]
        cases.setdefault(case, []).append(Run(folder, case, controller))
    for case, runs in cases.items():
        rows, figures = summarise_case(runs)
        print(f"{case}\n{table(list(rows.values()))}\n")
        prefix = "" if case == "cold-heavy" else case.replace("-", "_") + "_"
        result.update({prefix + key: value for key, value in figures.items()})
    measured = lines(slowdown)
    result["slowdown_lower"] = measured[0]["work_per_cpu_low"] if measured else None
    print(json.dumps(result))


if __name__ == "__main__":
    main()
