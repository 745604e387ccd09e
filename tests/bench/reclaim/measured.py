"""What one controller did on one case of the reclaim bench, out of what the virtual machine left.

Read are CASE.CONTROLLER.outcome (done, skipped or failed, why, and when all was ready), CASE.CONTROLLER.samples (sampler.py) and
CASE.CONTROLLER.CONTAINER.jsonl (cgtide-workload's reports, or redis_load.py's)."""

import bisect
import json
import statistics

MIB = 1 << 20
# For how long memory has to be idle to be cold: reclaim.idle of the annotated containers.
IDLE = 10.0
# Of time: what a container may stall by default.
TARGET = 0.001
# Seconds up to an instant that its figure is the mean of.
INSTANT = 5.0
# Seconds before the end from which on who reports each second must have reported.
SILENT = 10.0
ONCE = "page-cache"  # the case whose cold memory is page cache
KINDS = ("hot", "cold", "file_hot", "file_cold")
HEAP = "heap"  # what a server tells of its memory, which is of no known kind


class Failed(Exception):
    """A run that tells nothing, with the reason."""


def json_lines(path):
    if not path.exists():
        raise Failed(f"{path.name} is missing")
    rows = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        try:
            rows.append(json.loads(line))
        except ValueError as error:
            raise Failed(f"{path.name}, line {number} is no JSON: {line[:60]!r}") from error
    if not rows:
        raise Failed(f"{path.name} is empty")
    return rows


class Outcome:
    """How a controller's turn on a case ended: `done`, `skipped` or `failed`, and why."""

    def __init__(self, folder, case, controller):
        self.folder, self.case, self.controller = folder, case, controller
        try:
            row = json_lines(folder / f"{case}.{controller}.outcome")[0]
            self.how, self.why, self.begin = row["outcome"], row["why"], row["begin"]
        except Failed:
            self.begin = None
            self.how, self.why = "failed", "it did not come to its end: the scenario or its machine ended before"


class Run:
    """One controller on one case. What it saves is told of a window, from the moment at which the containers were populated and
    all else was ready; what it costs, from before they were started. Raises Failed where it tells nothing.

    `none` is the run without a controller, if there is one."""

    def __init__(self, outcome, none=None):
        if outcome.how != "done":
            raise Failed(outcome.why)
        self.case, self.controller = outcome.case, outcome.controller
        files = f"{self.case}.{self.controller}"
        self.all = json_lines(outcome.folder / f"{files}.samples")
        self.before, self.last = self.all[0], self.all[-1]
        names = [name for sample in self.all for name in sample["groups"]]
        self.annotated = [name for name in dict.fromkeys(names) if name.startswith("web/")]
        self.plain = [name for name in dict.fromkeys(names) if name not in self.annotated]
        if not self.annotated:
            raise Failed("no container was ever there")
        self.reports = {name: json_lines(outcome.folder / f"{files}.{name.split('/')[1]}.jsonl") for name in dict.fromkeys(names)}
        self.populated = max(self.populated_at(name, rows) for name, rows in self.reports.items())
        self.begin = max(outcome.begin, self.populated)
        self.samples = [sample for sample in self.all if sample["t"] >= self.begin]
        if len(self.samples) < 2:
            raise Failed(f"{len(self.samples)} samples after all was populated")
        self.first = self.samples[0]
        self.wall = self.last["t"] - self.first["t"]
        self.check_alive()
        self.unmapped = none.unmapped if none else self.mean_unmapped()

    @staticmethod
    def populated_at(name, rows):
        for row in rows:
            if row["event"] == "populated":
                return row["t"]
        raise Failed(f"{name} was never populated")

    def check_alive(self):
        for sample in self.all:
            if not sample["alive"]:
                raise Failed(f"the controller has ended, {sample['t'] - self.before['t']:.0f} s after it was started")
        for name, rows in self.reports.items():
            if name not in self.last["groups"] or rows[-1]["t"] < self.last["t"] - SILENT:
                raise Failed(f"{name} has ended, {rows[-1]['t'] - self.before['t']:.0f} s after the controller was started")

    def total(self, sample, key, annotated=True):
        """Sum over containers, which count from their own start. Those that are not there yet have nothing."""
        groups = sample["groups"]
        return sum(groups[name][key] for name in (self.annotated if annotated else self.plain) if name in groups)

    # --- Bytes saved ----------------------------------------------------------------------------------

    def mean_unmapped(self):
        """What the annotated containers use beside what they tell of, such as page tables: of `none`, which nobody takes from. Where
        that was not run, what it was in the first sample."""
        samples = self.samples if self.controller == "none" else self.samples[:1]
        return statistics.fmean(self.total(sample, "usage") - self.mapped(sample["t"]) for sample in samples)

    def mapped(self, t):
        """Bytes that the annotated containers tell to have asked for at a time."""
        total = 0
        for name in self.annotated:
            rows = self.reports[name]
            row = rows[max(0, bisect.bisect_right([row["t"] for row in rows], t) - 1)]
            total += sum(row.get(f"{kind}_bytes", 0) for kind in (*KINDS, HEAP))
        return total

    def zram_cost(self, sample):
        """What zram takes for the annotated containers' pages: of its growth, their share of the swap."""
        ours = self.total(sample, "swap")
        others = sample["foreign_swap"] - self.before["foreign_swap"]
        share = min(1.0, ours / (ours + others)) if ours + others > 0 else 1.0
        return (sample["zram"] - self.before["zram"]) * share

    def saved(self, sample):
        """What they would use if nobody took any, less what they use and what it costs to keep the rest."""
        return self.mapped(sample["t"]) + self.unmapped - self.total(sample, "usage") - self.zram_cost(sample)

    def net_saved(self):
        return statistics.fmean(self.saved(sample) for sample in self.samples)

    def net_saved_at(self, share):
        """Mean of the seconds up to a share of the window."""
        end = self.first["t"] + share * self.wall
        near = [sample for sample in self.samples if end - INSTANT < sample["t"] <= end + 0.01]
        return statistics.fmean(self.saved(sample) for sample in near) if near else None

    def zram_share(self):
        """What a swapped byte takes in zram."""
        swapped = self.total(self.last, "swap")
        return self.zram_cost(self.last) / swapped if swapped > MIB else 0.0

    def oracle(self, zram_share):
        """Mean net saved bytes of who takes each cold byte when it has been idle for long enough, and nothing else."""
        saved = 0.0
        for name in self.annotated:
            rows = [row for row in self.reports[name] if "cold_bytes" in row and row["t"] <= self.last["t"]]
            # Whether cold or hot, memory is as it was from the first to the last report of a phase.
            begins = {row["phase"]: row["t"] for row in reversed(rows)}
            ends = {row["phase"]: row["t"] for row in rows}
            cold = sum(max(0.0, ends[phase] - max(begin + IDLE, self.first["t"])) for phase, begin in begins.items())
            saved += (rows[0]["cold_bytes"] if rows else 0) * (1 - zram_share) * cold / self.wall
        if self.case == ONCE:
            saved += self.total(self.first, "file") * max(0.0, self.wall - IDLE) / self.wall
        return saved

    # --- Whose bytes ----------------------------------------------------------------------------------

    def window(self, name):
        """A container's reports of the time in which samples were taken."""
        return [row for row in self.reports[name] if self.begin <= row["t"] <= self.last["t"]]

    def out(self, kind):
        """Shares of a kind of the annotated containers' memory that are not resident, sample by sample."""
        rows = [[row for row in self.window(name) if row["event"] == "sample"] for name in self.annotated]
        shares = []
        for at in zip(*rows):
            size = sum(row.get(f"{kind}_bytes", 0) for row in at)
            if size > 0:
                shares.append(1 - sum(row[f"{kind}_resident"] for row in at) / size)
        return shares

    def hot_taken(self):
        """Share of the hot bytes, of all containers, that left while they were hot: all that left within a phase, added up."""
        taken = size = 0
        for name in self.reports:
            rows = [row for row in self.window(name) if "hot_bytes" in row]
            size += max((row["hot_bytes"] for row in rows), default=0)
            for before, after in zip(rows, rows[1:]):
                if before["phase"] == after["phase"]:
                    gone = [row["hot_bytes"] - row["hot_resident"] for row in (before, after)]
                    taken += max(0, gone[1] - gone[0])
        return taken / size if size else None

    def cache_out(self):
        """Share of the page cache of the beginning that has left; none where there was little."""
        before = self.total(self.first, "file")
        return 1 - self.total(self.last, "file") / before if before >= 8 * MIB else None

    def foreign_swap(self):
        return max(sample["foreign_swap"] for sample in self.all) - self.before["foreign_swap"]

    # --- What it cost ---------------------------------------------------------------------------------

    def pressure(self):
        """Share of the time that the annotated containers stalled for memory, added up."""
        return self.total(self.last, "memory_stall_us") / 1e6 / (self.last["t"] - self.before["t"])

    def start_seconds(self):
        """How long it took until the containers were populated."""
        return self.populated - self.before["t"]

    def longest_pressure(self):
        """Seconds of the longest time in which each sample's memory pressure was over the target."""
        longest = begin = 0.0
        over = False
        for before, after in zip(self.all, self.all[1:]):
            stall = self.total(after, "memory_stall_us") - self.total(before, "memory_stall_us")
            if stall / 1e6 > TARGET * (after["t"] - before["t"]):
                begin = begin if over else before["t"]
                over = True
                longest = max(longest, after["t"] - begin)
            else:
                over = False
        return longest

    def work(self):
        """Passes, or requests, a second, by annotated container."""
        rates = {}
        for name in self.annotated:
            rows = self.window(name)
            if len(rows) < 2:
                raise Failed(f"{name} reported {len(rows)} times while it was measured")
            rates[name] = (rows[-1]["passes"] - rows[0]["passes"]) / (rows[-1]["t"] - rows[0]["t"])
        return rates

    def latencies(self):
        """Of a server's clients, in microseconds; empty where nobody asks."""
        for rows in self.reports.values():
            if rows[-1]["event"] == "total":
                return rows[-1]
        return {}
