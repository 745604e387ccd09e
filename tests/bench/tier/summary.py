"""Figures of the tier bench: a table for each case, then one line of JSON. usage: summary.py RESULTS CASES CONTROLLERS

Read are CASE.CONTROLLER.outcome (done or failed, why, and when all was ready), CASE.CONTROLLER.samples (the sampler's) and
CASE.CONTROLLER.NAME.jsonl, the workloads' own reports, which tell on which node each of their pages is. A controller that has failed is told below its table and in the JSON, and the status is 1.

accuracy    hot bytes on the fast node / min(hot bytes, share), at the end; of `moving` the mean of what each phase after the
            first ends with; `worst` of them
converged   until the accuracy was 0.9, from the begin; of `moving` the longest of the phases, from each one's begin; - never
cold_demoted  share of the cold bytes that were on the fast node at first, and are not at the end
share_error   distance of a container's bytes on the fast node from its share, in basis points of both shares' sum; the worst, mean of
            the last 20 s
moved       bytes that changed the node, by the pages' own account; thrash: share of them that did so twice within 10 s
foreign     bytes of the container without annotation that moved
cpu         seconds of the controller's process from its start on, and monitor of what watches for it; - where it is the kernel
start       the hot set on the fast node at the begin, to compare with"""

import json
import pathlib
import statistics
import sys

MIB = 1 << 20
GOOD = 0.9
LATE = 20.0  # seconds before the end that a share's error is the mean of
# Bytes that each container may have of the fast node; the others are not bounded.
SHARES = {"moving": {"main": 112 * MIB}, "shares": {"big": 84 * MIB, "small": 36 * MIB}}
MEASURED = {"still": "main", "moving": "main", "shares": "big", "hog": "victim"}
FOREIGN = "plain"
WATCHING = "cgtide"
COLD_IN = {"still": "main"}


class Failed(Exception):
    """A run that tells nothing, with the reason."""


def lines(path):
    if not path.exists():
        raise Failed(f"{path.name} is missing")
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    if not rows:
        raise Failed(f"{path.name} is empty")
    return rows


def on(nodes, node):
    return nodes[node] if node < len(nodes) else 0


class Run:
    """One controller on one case."""

    def __init__(self, folder, case, controller):
        self.case, self.controller = case, controller
        path = folder / f"{case}.{controller}.outcome"
        if not path.exists():
            raise Failed("it did not come to its end: the scenario or its machine ended before")
        outcome = lines(path)[0]
        if outcome["outcome"] != "done":
            raise Failed(outcome["why"])
        self.begin = float(outcome["begin"])
        self.last = lines(folder / f"{case}.{controller}.samples")[-1]
        self.reports = {}
        for report in folder.glob(f"{case}.{controller}.*.jsonl"):
            name = report.name.split(".")[2]
            self.reports[name] = [row for row in lines(report) if row["t"] >= self.begin]
            if not self.reports[name]:
                raise Failed(f"{report.name} has no sample of the time that was measured")

    def accuracy(self, row):
        share = SHARES.get(self.case, {}).get(MEASURED[self.case])
        hot = sum(row["hot_nodes"])
        bound = min(hot, share) if share else hot
        return min(on(row["hot_nodes"], 0) / bound, 1.0) if bound else 1.0

    def phases(self):
        """Samples by phase: all of them are one where hot and cold memory stay."""
        phases = {}
        for row in self.reports[MEASURED[self.case]]:
            phases.setdefault(row["phase"], []).append(row)
        found = [phases[number] for number in sorted(phases)]
        # A phase that has just begun at the end is none, and the first is no move.
        if len(found) > 1:
            found = [rows for rows in found[1:] if rows[-1]["t"] - rows[0]["t"] > 30]
        return found

    def accuracies(self):
        return [self.accuracy(rows[-1]) for rows in self.phases()]

    def converged(self):
        """The longest time of the phases; None where one never was good."""
        times = []
        for rows in self.phases():
            since = self.begin if len(self.phases()) == 1 else rows[0]["t"]
            good = next((row["t"] - since for row in rows if self.accuracy(row) >= GOOD), None)
            if good is None:
                return None
            times.append(good)
        return max(times)

    def cold_demoted(self):
        name = COLD_IN.get(self.case)
        if name is None:
            return None
        rows = self.reports[name]
        first = on(rows[0]["cold_nodes"], 0)
        return 1 - on(rows[-1]["cold_nodes"], 0) / first if first else None

    def share_error(self):
        shares = SHARES.get(self.case, {}) if self.case == "shares" else {}
        errors = []
        for name, share in shares.items():
            rows = self.reports[name]
            late = [row for row in rows if row["t"] >= rows[-1]["t"] - LATE]
            held = statistics.fmean(on(row["hot_nodes"], 0) + on(row["cold_nodes"], 0) for row in late)
            errors.append(abs(held - share) / sum(shares.values()) * 10000)
        return max(errors) if errors else None

    def moved(self, names, key="moved_bytes"):
        return sum(self.reports[name][-1][key] - self.reports[name][0][key] for name in names)

    def row(self):
        own = [name for name in self.reports if name != FOREIGN]
        moved = self.moved(own)
        accuracies = self.accuracies()
        first = self.reports[MEASURED[self.case]][0]
        return {
            "controller": self.controller,
            "start": round(self.accuracy(first), 3),
            "accuracy": round(statistics.fmean(accuracies), 3),
            "worst": round(min(accuracies), 3),
            "converged_s": None if self.converged() is None else round(self.converged(), 1),
            "cold_demoted_percent": None if self.cold_demoted() is None else round(100 * self.cold_demoted(), 2),
            "share_error_bp": None if self.share_error() is None else round(self.share_error(), 1),
            "moved_mib": round(moved / MIB, 1),
            "thrash_percent": round(100 * self.moved(own, "thrash_bytes") / moved, 2) if moved else 0.0,
            "foreign_mib": round(self.moved([FOREIGN]) / MIB, 2) if FOREIGN in self.reports else None,
            "cpu_s": round(self.last["cpu_s"], 2) if self.controller.startswith(WATCHING) else None,
            "monitor_cpu_s": round(self.last["monitor_cpu_s"], 2) if self.controller.startswith(WATCHING) else None,
        }


def table(rows):
    """Columns that nobody has a figure for are left out."""
    head = [key for key in rows[0] if any(row[key] is not None for row in rows)]
    cells = [head] + [["-" if row[key] is None else str(row[key]) for key in head] for row in rows]
    widths = [max(len(line[i]) for line in cells) for i in range(len(head))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in cells)


def summary(folder, cases, controllers):
    """(text, JSON object)"""
    texts, errors, rows = [], [], {}
    for case in cases:
        found = []
        for controller in controllers:
            try:
                rows[case, controller] = Run(folder, case, controller).row()
                found.append(rows[case, controller])
            except Failed as error:
                errors.append(f"{case}: {controller}: {error}")
        texts.append(case + "\n" + (table(found) if found else "nothing was measured"))

    def figure(case, controller, key):
        row = rows.get((case, controller))
        return row[key] if row else None

    thrashes = [figure(case, "cgtide", "thrash_percent") for case in cases]
    foreigns = [figure(case, "cgtide", "foreign_mib") for case in cases]
    result = {
        "accuracy_still": figure("still", "cgtide", "accuracy"),
        "accuracy_moving": figure("moving", "cgtide", "worst"),
        "accuracy_kernel_still": figure("still", "kernel", "accuracy"),
        "accuracy_kernel_moving": figure("moving", "kernel", "worst"),
        "accuracy_hog": figure("hog", "cgtide", "accuracy"),
        "accuracy_none_hog": figure("hog", "none", "accuracy"),
        "converged_still_s": figure("still", "cgtide", "converged_s"),
        "converged_moving_s": figure("moving", "cgtide", "converged_s"),
        "cold_demoted_percent": figure("still", "cgtide", "cold_demoted_percent"),
        "thrash_percent": max((value for value in thrashes if value is not None), default=None),
        "share_error_bp": figure("shares", "cgtide", "share_error_bp"),
        "foreign_bytes_moved": sum(round(value * MIB) for value in foreigns if value is not None)
        if any(value is not None for value in foreigns)
        else None,
        "errors": errors,
    }
    return "\n\n".join(texts + (["\n".join(errors)] if errors else [])), result


def main():
    folder, cases, controllers = pathlib.Path(sys.argv[1]), sys.argv[2].split(","), sys.argv[3].split(",")
    text, result = summary(folder, cases, controllers)
    print(text + "\n")
    print(json.dumps(result))
    sys.exit(1 if result["errors"] else 0)


if __name__ == "__main__":
    main()
