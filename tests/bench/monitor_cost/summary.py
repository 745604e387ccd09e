"""Medians of monitor-cost's rounds: a table, then one line of JSON. usage: summary.py RESULTS.jsonl

Each line of the results is one side's measurement: what it is made of stands in tests/vm/scenarios/monitor-cost.sh. Of damo's work after
the recording (turning the trace into a record, without which it tells nothing) a window has its share by time."""

import json
import statistics
import sys


def percent(cpu_us, row):
    """CPU as percent of one processor."""
    return 100 * cpu_us / row["wall_us"]


def damo_percent(row):
    """damo's CPU as percent: of recording, and of converting what was recorded as far as that was waited for."""
    return percent(row["cpu_us"], row) + 100 * row["conversion_us"] / row["record_us"]


def median(rows, value):
    values = [value(row) for row in rows]
    return statistics.median(values) if values else None


def ratio(above, below, digits=3):
    return round(above / below, digits) if above is not None and below else None


def dropped(row):
    """Events that became part of no round; those of a commit are dropped on purpose."""
    return row["lost"] + row["other"] + row["in_commit"]


def summarise(rows):
    """The JSON keys, and the table's lines."""

    def of(side, count):
        return [row for row in rows if row["side"] == side and row["count"] == count]

    lines = ["containers  engine%  kdamonds%  rss MiB  damo recording%  damo whole%  its kdamonds%  engine/damo"]
    for count in sorted({row["count"] for row in rows if row["side"] in ("cgtide", "damo")}):
        ours, theirs = of("cgtide", count), of("damo", count)
        engine = median(ours, lambda row: percent(row["cpu_us"], row))
        whole = median(theirs, damo_percent)
        cells = [
            engine,
            median(ours, lambda row: percent(row["workers_us"], row)),
            median(ours, lambda row: row["rss_kib"] / 1024),
            median(theirs, lambda row: percent(row["cpu_us"], row)),
            whole,
            median(theirs, lambda row: percent(row["workers_us"], row)),
            ratio(engine, whole),
        ]
        lines.append(f"{count:10}  " + "  ".join("-" if cell is None else f"{cell:.2f}" for cell in cells))

    def cost(count):
        return median(of("cgtide", count), lambda row: percent(row["cpu_us"] + row["workers_us"], row) / count)

    def engine_alone(count):
        return median(of("cgtide", count), lambda row: percent(row["cpu_us"], row))

    def rounded(value, digits):
        return None if value is None else round(value, digits)

    ours = [row for row in rows if row["side"] == "cgtide"]

    def counters(side):
        return median(of(side, 500), lambda row: percent(row["cpu_us"], row))

    keys = {
        "engine_cpu_ratio_to_damo_400": ratio(
            engine_alone(400), median(of("damo", 400), damo_percent)
        ),
        "engine_cpu_ratio_to_damo_recording_400": ratio(
            engine_alone(400), median(of("damo", 400), lambda row: percent(row["cpu_us"], row))
        ),
        "guest_cpu_ratio_500": ratio(counters("counters"), counters("loop")),
        "guest_cpu_ratio_500_same_files": ratio(counters("counters"), counters("loop_same_files")),
        "cpu_percent_per_container_10": rounded(cost(10), 4),
        "cpu_percent_per_container_400": rounded(cost(400), 4),
        "rss_mib_400": rounded(median(of("cgtide", 400), lambda row: row["rss_kib"] / 1024), 1),
        "events_dropped": sum(dropped(row) for row in ours) if ours else None,
        "events_dropped_outside_commits": sum(row["lost"] + row["other"] for row in ours) if ours else None,
    }
    return keys, lines


def main():
    with open(sys.argv[1], encoding="utf-8") as results:
        rows = [json.loads(line) for line in results]
    keys, lines = summarise(rows)
    print("\n".join(lines), file=sys.stderr)
    print(json.dumps(keys))


if __name__ == "__main__":
    main()
