"""Figures of the bench of actuators: a table for each kind of memory, then one line of JSON. usage: summary.py RESULTS

RESULTS holds KIND.ACTUATOR.jsonl (cgtide-workload's report), .samples (reclaim/sampler.py), .resumed (seconds since boot at which
reclaim began) and .explain (`cgtide explain --json` at the end). Figures are of the time since then.

acted       share of the freed bytes that the wanted actuator freed; the rest left by what the table names
cold out    truly cold bytes that are not resident at the end
hot out     truly hot bytes that are not resident at the worst sample
freed       sum over the requests of the fall of memory.current
refaults    pages that came back; per MiB freed
CPU         kernel CPU of the requests, and of damos what DAMON's workers took beyond what they had taken before
to 80 %     seconds until 80 % of the cold bytes were out"""

import json
import pathlib
import sys

MIB = 1 << 20
KINDS = ("anon", "file")
ACTUATORS = {
    "pageout": "pageout",
    "damos": "damos",
    "reclaim-regions": "memory.reclaim",
    "reclaim-generations": "memory.reclaim",
    "lru_gen": "lru_gen",
}
PREFIX = {"anon": "", "file": "file_"}
MOST = 0.8


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def ratio(above, below, digits=2):
    return round(above / below, digits) if below else None


class Run:
    """One actuator on one kind of memory."""

    def __init__(self, folder, kind, actuator):
        stem = f"{kind}.{actuator}"
        self.kind, self.actuator = kind, actuator
        self.begin = float((folder / f"{stem}.resumed").read_text())
        self.report = [row for row in lines(folder / f"{stem}.jsonl") if row["event"] == "sample" and row["t"] >= self.begin]
        samples = lines(folder / f"{stem}.samples")
        self.before = [row for row in samples if row["t"] < self.begin]
        self.samples = [row for row in samples if row["t"] >= self.begin]
        entries = json.loads((folder / f"{stem}.explain").read_text())["entries"]
        self.requests = [entry for entry in entries if entry["outcome"]]

    def out(self, heat):
        """(seconds since the beginning, bytes that are not resident) of the hot or the cold memory."""
        name = PREFIX[self.kind] + heat
        return [(row["t"] - self.begin, row[f"{name}_bytes"] - row[f"{name}_resident"]) for row in self.report]

    def seconds_to_most(self):
        size = self.report[0][f"{PREFIX[self.kind]}cold_bytes"]
        return next((round(t, 1) for t, out in self.out("cold") if out >= MOST * size), None)

    def freed_by(self):
        """Bytes by actuator, most first."""
        freed = {}
        for request in self.requests:
            freed[request["actuator"]] = freed.get(request["actuator"], 0) + request["outcome"]["taken_bytes"]
        return dict(sorted(freed.items(), key=lambda item: -item[1]))

    def refaults(self):
        values = [next(iter(sample["groups"].values()))["refaults"] for sample in self.samples]
        return values[-1] - values[0]

    def workers(self):
        """CPU seconds of DAMON's workers beyond their pace before the beginning."""
        first, last = self.samples[0], self.samples[-1]
        pace = 0.0
        if len(self.before) > 1:
            pace = (self.before[-1]["kdamond_cpu_s"] - self.before[0]["kdamond_cpu_s"]) / (self.before[-1]["t"] - self.before[0]["t"])
        return max(0.0, last["kdamond_cpu_s"] - first["kdamond_cpu_s"] - pace * (last["t"] - first["t"]))

    def cpu_s(self):
        requests = sum(request["outcome"]["cpu_us"] for request in self.requests) / 1e6
        return requests + (self.workers() if self.actuator == "damos" else 0.0)

    def figures(self):
        by = self.freed_by()
        freed = sum(by.values())
        cpu = self.cpu_s()
        return {
            "actuator": self.actuator,
            "acted_percent": ratio(100 * by.get(ACTUATORS[self.actuator], 0), freed, 1),
            "cold_out_mib": round(self.out("cold")[-1][1] / MIB, 2),
            "hot_out_mib": round(max(out for _, out in self.out("hot")) / MIB, 2),
            "freed_mib": round(freed / MIB, 2),
            "refaults": self.refaults(),
            "refaults_per_mib": ratio(self.refaults(), freed / MIB, 3),
            "cpu_s": round(cpu, 3),
            "mib_per_cpu_s": ratio(freed / MIB, cpu),
            "seconds_to_80": self.seconds_to_most(),
        }

    def others(self):
        """What else freed memory, for people."""
        return ", ".join(f"{name} {freed / MIB:.1f} MiB" for name, freed in self.freed_by().items() if freed)


def table(rows):
    head = list(rows[0])
    cells = [head] + [["-" if row[key] is None else str(row[key]) for key in head] for row in rows]
    widths = [max(len(line[i]) for line in cells) for i in range(len(head))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in cells)


def main():
    folder = pathlib.Path(sys.argv[1])
    result = {}
    for kind in KINDS:
        runs = [Run(folder, kind, name) for name in ACTUATORS if (folder / f"{kind}.{name}.explain").exists()]
        rows = [run.figures() for run in runs]
        if not rows:
            continue
        print(f"{kind}\n{table([dict(row, by=run.others()) for row, run in zip(rows, runs)])}\n")
        for row in rows:
            name = f"{kind}_{row.pop('actuator').replace('-', '_')}"
            result.update({f"{name}_{key}": value for key, value in row.items()})
    print(json.dumps(result))


if __name__ == "__main__":
    main()
