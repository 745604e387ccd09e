"""Figures of the reclaim bench: a table for each case, then one line of JSON. usage: summary.py RESULTS SLOWDOWN_JSON CASES CONTROLLERS

RESULTS holds what measured.py reads; SLOWDOWN_JSON may be missing. CASES and CONTROLLERS are what was to be run, comma-separated: what
has left nothing is an error. An error is told below its table and in the JSON, its run is compared with nobody, and the status is 1.

net_saved   mean over the window of what the annotated containers would use (what they tell to have mapped, and what they use beside
            it under none) less what they use and what zram takes for them, by their share of what is in swap. net_25 to net_100: at that
            percentage of the window
oracle      the same of a controller that takes each cold byte the moment it is IDLE old, and nothing else; a byte costs in
            zram what it cost cgtide
cold_out    share of the truly cold bytes that are not resident at the end; cache_out of the page cache
hot_out     the worst sample's share of the truly hot bytes that are not resident
hot_taken   share of the hot bytes that left while they were hot, all that left added up
psi         mean memory pressure; longest_pressure: the longest time in which each second was over 0.1 %
refaults    pages; per MiB of mean net saved bytes where that is over 1 MiB
start       until the containers were populated
cpu         of the controller's process from its start on, start-up included; start_cpu: until all was populated; monitor: of what
            watches idle times for it, which of DAMON_RECLAIM is all. cpu_ratio_to_oomd is without start_cpu, ..._with_start with it
work        passes over hot memory (redis: requests) a second of guest time, relative to none; p99: latency of requests
            Refaults, pressure, faults and CPU count from before the containers were started
foreign     what left that belongs to nobody annotated, at most; and major faults of the containers that are not annotated"""

import json
import pathlib
import statistics
import sys

from measured import MIB, Failed, Outcome, Run, json_lines

DEFAULT_CASE = "cold-heavy"  # whose keys have no prefix
# Who has idle times watched. Under the others a worker of DAMON is the kernel's own DAMON_STAT.
WATCHING = ("cgtide", "damon-")
INSTANTS = (25, 50, 75, 100)
# What each case gives of cgtide, by its column.
OURS = (
    "net_saved_mib",
    "cold_out_percent",
    "hot_out_percent",
    "hot_taken_percent",
    "refaults_per_saved_mib",
    "psi_percent",
    "longest_pressure_s",
    "work_to_none",
)
REDIS = ("ops_per_s", "p99_ms", "p99_to_none")


def percent(share):
    return None if share is None else round(100 * share, 2)


def ratio(above, below, digits=3):
    return round(above / below, digits) if above is not None and below else None


def mib(size):
    return None if size is None else round(size / MIB, 2)


def work_to_none(run, none):
    """Mean over the containers of the work of each relative to the same one's without a controller."""
    if none is None:
        return None
    own, free = run.work(), none.work()
    ratios = [own[name] / free[name] for name in own if free.get(name)]
    return round(statistics.fmean(ratios), 3) if ratios else None


def row_of(run, none):
    """One controller's row of a case's table."""
    net = run.net_saved()
    refaults = run.total(run.last, "refaults")
    cold, hot = run.out("cold"), run.out("hot")
    served = run.latencies()
    return {
        "controller": run.controller,
        "net_saved_mib": mib(net),
        **{f"net_{at}": mib(run.net_saved_at(at / 100)) for at in INSTANTS},
        "cold_out_percent": percent(cold[-1]) if cold else None,
        "cache_out_percent": percent(run.cache_out()),
        "hot_out_percent": percent(max(hot)) if hot else None,
        "hot_taken_percent": percent(run.hot_taken()),
        "refaults": refaults,
        "refaults_per_saved_mib": round(refaults / (net / MIB), 3) if net > MIB else None,
        "psi_percent": round(100 * run.pressure(), 4),
        "longest_pressure_s": round(run.longest_pressure(), 1),
        "cpu_s": round(run.last["cpu_s"], 2),
        "start_cpu_s": round(run.first["cpu_s"], 2),
        "monitor_cpu_s": round(run.last["monitor_cpu_s"], 2) if run.controller.startswith(WATCHING) else None,
        "start_s": round(run.start_seconds(), 1),
        "work_to_none": work_to_none(run, none),
        "ops_per_s": round(sum(run.work().values()), 1) if served else None,
        "p50_ms": round(served["p50_us"] / 1000, 3) if served else None,
        "p99_ms": round(served["p99_us"] / 1000, 3) if served else None,
        "p99_to_none": ratio(served["p99_us"], none.latencies()["p99_us"]) if served and none else None,
        "foreign_swap_mib": mib(run.foreign_swap()),
        "foreign_major_faults": run.total(run.last, "major_faults", annotated=False) if run.plain else None,
    }


def table(rows):
    """Columns that nobody has a figure for are left out."""
    head = [key for key in rows[0] if any(row[key] is not None for row in rows)]
    cells = [head] + [["-" if row[key] is None else str(row[key]) for key in head] for row in rows]
    widths = [max(len(line[i]) for line in cells) for i in range(len(head))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in cells)


def beats(peer, ours):
    """Whether a peer saves more (by over 2 %, and over 1 MiB, which runs without any reclaim differ by) and has no more refaults."""
    more = peer["net_saved_mib"] - ours["net_saved_mib"]
    return more > max(1.0, 0.02 * ours["net_saved_mib"]) and peer["refaults"] <= ours["refaults"]


def cpu_of_window(row):
    """What a controller has used since all was populated: a node starts it once, and then it runs for months."""
    return row["cpu_s"] - row["start_cpu_s"]


def compare(runs, rows):
    """The JSON's figures of a case, by their names without the case; null where they were not measured."""
    ours = rows.get("cgtide")
    peers = [row for name, row in rows.items() if name not in ("none", "cgtide")]
    oomd = rows.get("oomd-reclaim-tuned")
    figures = dict.fromkeys(OURS + REDIS) | {key: ours[key] for key in OURS + REDIS if ours}
    oracle = mib(runs["cgtide"].oracle(runs["cgtide"].zram_share())) if ours else None
    best = max((row["net_saved_mib"] for row in peers), default=None)
    figures["net_saved_to_oracle"] = ratio(figures["net_saved_mib"], oracle)
    figures["peer_best_net_saved_mib"] = best
    figures["peer_best_net_saved_to_oracle"] = ratio(best, oracle)
    figures["peer_best_refaults_per_saved_mib"] = min(
        (row["refaults_per_saved_mib"] for row in peers if row["refaults_per_saved_mib"] is not None), default=None
    )
    figures["cpu_ratio_to_oomd"] = ratio(cpu_of_window(ours), cpu_of_window(oomd)) if ours and oomd else None
    figures["cpu_ratio_to_oomd_with_start"] = ratio(ours["cpu_s"], oomd["cpu_s"]) if ours and oomd else None
    figures["foreign_bytes_reclaimed"] = runs["cgtide"].foreign_swap() if ours else None
    figures["foreign_major_faults"] = ours["foreign_major_faults"] if ours else None
    figures["beaten_by"] = [row["controller"] for row in peers if beats(row, ours)] if ours else None
    return figures


class Case:
    """All controllers on one case: runs and rows of those that were measured, and of the others why not."""

    def __init__(self, folder, case, controllers):
        self.name, self.runs, self.rows, self.failed, self.skipped = case, {}, {}, {}, {}
        for controller in controllers:
            self.take(folder, controller)

    def take(self, folder, controller):
        outcome = Outcome(folder, self.name, controller)
        if outcome.how == "skipped":
            self.skipped[controller] = outcome.why
            return
        try:
            run = Run(outcome, self.runs.get("none"))
            self.rows[controller] = row_of(run, run if controller == "none" else self.runs.get("none"))
            self.runs[controller] = run
        except Failed as failure:
            self.failed[controller] = str(failure)

    def text(self):
        lines = [self.name]
        if self.rows:
            lines.append(table(list(self.rows.values())))
        lines += [f"{controller}  ERROR: {why}" for controller, why in self.failed.items()]
        lines += [f"{controller}  skipped: {why}" for controller, why in self.skipped.items()]
        return "\n".join(lines) + "\n"

    def figures(self):
        prefix = "" if self.name == DEFAULT_CASE else self.name.replace("-", "_") + "_"
        figures = compare(self.runs, self.rows)
        # What a case has no figures of is not a figure that is missing.
        if self.name != "redis":
            figures = {key: value for key, value in figures.items() if key not in REDIS}
        return {prefix + key: value for key, value in figures.items()}


def main():
    folder, slowdown = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    result = {}
    errors, skipped = [], []
    for name in sys.argv[3].split(","):
        case = Case(folder, name, sys.argv[4].split(","))
        print(case.text())
        result |= case.figures()
        errors += [f"{name} {controller}: {why}" for controller, why in case.failed.items()]
        skipped += [f"{name} {controller}: {why}" for controller, why in case.skipped.items()]
    result["slowdown_lower"] = json_lines(slowdown)[0]["work_per_cpu_low"] if slowdown.exists() else None
    print(json.dumps(result | {"skipped": skipped, "errors": errors}))
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
