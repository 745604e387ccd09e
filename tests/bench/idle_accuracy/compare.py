#!/usr/bin/env python3
"""Compares what cgtide told of idle memory with what the processes know themselves.

usage: compare.py DIR

DIR holds layouts.json (layouts.py), views.jsonl (what cgtide told, with the guest's time before and after it was asked) and CONTAINER.jsonl
(what the processes of a container know). Prints a table, and one line of JSON at last.
"""
import bisect
import json
import pathlib
import statistics
import sys

COLD_MS = 10_000
AGGREGATION_MS = 1000
# A byte within two aggregations of the age may be told on either side of it.
BAND_MS = 2 * AGGREGATION_MS
PERCENTILES = range(10, 91)
# Where the truth jumps, a percentile is right if its neighbour would be: hot bytes may be off by 1 %.
RANK_SLACK = 0.01
MIB = 1 << 20


class Log:
    """A container's own account, by rising time."""

    def __init__(self, lines):
        self.lines = sorted(lines, key=lambda line: line["t_ms"])
        self.times = [line["t_ms"] for line in self.lines]

    def parts_at(self, at_ms):
        """The last account that is not younger than `at_ms`."""
        index = bisect.bisect_right(self.times, at_ms) - 1
        if index < 0:
            raise ValueError(f"no account is as old as {at_ms} ms")
        return self.lines[index]["parts"]


def truth_at(logs, container, at_ms, watched_ms):
    """[(idle ms, bytes)] by rising idle time, of what the container is charged for.

    A file that two containers share has the younger use. No idle time is proven beyond the time watched, so none is expected.
    """
    used_of_path = {}
    for log in logs.values():
        try:
            parts = log.parts_at(at_ms)
        except ValueError:
            continue  # not started yet
        for part in parts:
            if part["path"]:
                used_of_path[part["path"]] = max(part["used_ms"], used_of_path.get(part["path"], 0))
    truth = []
    for part in logs[container].parts_at(at_ms):
        if part["charged"] and part["bytes"]:
            used = used_of_path.get(part["path"], part["used_ms"])
            truth.append((min(max(at_ms - used, 0), watched_ms), part["bytes"]))
    return sorted(truth)


def bytes_idle(truth, at_least_ms):
    return sum(size for idle, size in truth if idle >= at_least_ms)


def idle_at_rank(truth, rank):
    """The idle time at which `rank` bytes are passed."""
    passed = 0
    for idle, size in truth:
        passed += size
        if passed >= rank:
            return idle
    return truth[-1][0]


def own_bytes(truth, idle):
    """Bytes of the processes themselves (stacks, heaps), of which the truth knows nothing."""
    return max(0, idle["charged_bytes"] - sum(size for _, size in truth))


def cold_error_percent(truth, idle):
    """How far the bytes told as idle for 10 s are from the truth. Bytes that are unseen, or told as idle for less and maybe for so long, cover
    what is missing, never what is too much."""
    told = next(cold for cold in idle["cold"] if cold["age_us"] == COLD_MS * 1000)
    unknown = idle["unseen_bytes"] + (told["unsure_bytes"] or 0)
    told = (told["anon_bytes"] or 0) + (told["file_bytes"] or 0)
    excess = told - bytes_idle(truth, COLD_MS - BAND_MS) - own_bytes(truth, idle)
    shortfall = bytes_idle(truth, COLD_MS + BAND_MS) - told - unknown
    wrong = max(0, excess, shortfall)
    return 100 * wrong / max(bytes_idle(truth, COLD_MS), 1), told


def percentile_error(truth, idle):
    """The largest distance, in aggregations, of a percentile from the truth of the bytes whose age is known. Which of them were not seen, or
    not for sure, is not told: they may be any."""
    seen, unseen = idle["seen_bytes"] - idle["unsure_bytes"], idle["unseen_bytes"] + idle["unsure_bytes"]
    slack = RANK_SLACK * seen
    own = own_bytes(truth, idle)
    worst = 0
    for k in PERCENTILES:
        rank = seen * k / 100
        low = idle_at_rank(truth, rank - own - slack)
        high = idle_at_rank(truth, rank + unseen + slack)
        told = max(0, idle["percentiles_us"][k] / 1000)
        worst = max(worst, low - told, told - high)
    return worst / AGGREGATION_MS


def judge(logs, view):
    idle = view["idle"]
    at_ms = (view["before_ms"] + view["after_ms"]) / 2 - idle["age_ms"]
    truth = truth_at(logs, view["container"], at_ms, idle["watched_us"] / 1000)
    error, told = cold_error_percent(truth, idle)
    return {
        "truth": sum(size for _, size in truth),
        "cold": bytes_idle(truth, COLD_MS),
        "told": told,
        "unseen": idle["unseen_bytes"],
        "unsure": idle["unsure_bytes"],
        "charged": idle["charged_bytes"],
        "error": error,
        "percentile": percentile_error(truth, idle),
        "source": idle["source"],
    }


def middle(judged):
    """The view of the median error of one container, with the largest error and the median of the percentiles' errors."""
    ordered = sorted(judged, key=lambda one: one["error"])
    return {**ordered[(len(ordered) - 1) // 2], "largest": ordered[-1]["error"],
            "percentile": statistics.median_low(one["percentile"] for one in judged)}


def rows(layouts, views, logs):
    """One for each run and container, in their order."""
    made = []
    for label in dict.fromkeys(view["run"] for view in views):
        for group in layouts["groups"]:
            for container in group["containers"]:
                judged = [judge(logs, view) for view in views
                          if view["run"] == label and view["container"] == container["name"]]
                if judged:
                    made.append({"run": label, **container, **middle(judged), "views": len(judged)})
    return made


def summary(made):
    def largest(label, key):
        of_label = [row[key] for row in made if row["run"] == label]
        return round(max(of_label), 2) if of_label else None

    default = [row for row in made if row["run"] == "default"]
    charged = sum(row["charged"] for row in default)

    def share(key):
        return round(100 * sum(row[key] for row in default) / charged, 2) if charged else None

    return {
        "max_error_percent_generations": largest("generations", "error"),
        "max_error_percent_regions": largest("regions", "error"),
        "max_error_percent_default": largest("default", "error"),
        "max_error_percent_default_100": largest("default_100", "error"),
        "unseen_percent": share("unseen"),
        "unsure_percent": share("unsure"),
        "max_percentile_error_aggregations": largest("default", "percentile"),
    }


def table(made):
    heads = ("run", "container", "seed", "special case", "source", "charged", "truth", "cold", "told", "unseen", "unsure", "error %", "largest",
             "percentile")
    cells = [heads]
    for row in made:
        sizes = [f"{row[key] / MIB:.1f}" for key in ("charged", "truth", "cold", "told", "unseen", "unsure")]
        cells.append((row["run"], row["name"], "-" if row["seed"] is None else str(row["seed"]), row["special"] or "-", row["source"],
                      *sizes, f"{row['error']:.1f}", f"{row['largest']:.1f}", f"{row['percentile']:.1f}"))
    widths = [max(len(line[column]) for line in cells) for column in range(len(heads))]
    return "\n".join("  ".join(text.ljust(width) for text, width in zip(line, widths)).rstrip() for line in cells)


def read_lines(path):
    return [json.loads(line) for line in path.read_text().splitlines() if line.endswith("}")]


def main():
    folder = pathlib.Path(sys.argv[1])
    layouts = json.loads((folder / "layouts.json").read_text())
    names = [container["name"] for group in layouts["groups"] for container in group["containers"]]
    logs = {name: Log(read_lines(folder / f"{name}.jsonl")) for name in names if (folder / f"{name}.jsonl").exists()}
    made = rows(layouts, read_lines(folder / "views.jsonl"), logs)
    print(table(made))
    for row in made:
        # The truth must be of what is charged: a segment that is missing would make all figures wrong.
        if not -MIB <= row["charged"] - row["truth"] <= max(4 * MIB, row["charged"] // 20):
            print(f"{row['run']} {row['name']}: charged {row['charged']}, but its processes know of {row['truth']}", file=sys.stderr)
    print(json.dumps(summary(made)))


if __name__ == "__main__":
    main()
