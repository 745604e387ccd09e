"""Tests of summary.py on made results."""

import json
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import summary

MIB = 1 << 20


def report(t, cold_out, hot_out=0, event="sample"):
    return {
        "event": event,
        "t": t,
        "hot_bytes": 32 * MIB,
        "hot_resident": (32 - hot_out) * MIB,
        "cold_bytes": 96 * MIB,
        "cold_resident": (96 - cold_out) * MIB,
        "file_hot_bytes": 0,
        "file_hot_resident": 0,
        "file_cold_bytes": 0,
        "file_cold_resident": 0,
    }


def sample(t, refaults, kdamond):
    return {"t": t, "groups": {"web/main": {"refaults": refaults}}, "kdamond_cpu_s": kdamond}


def request(actuator, taken, cpu_us):
    return {"actuator": actuator, "outcome": {"taken_bytes": taken * MIB, "cpu_us": cpu_us}}


class Summary(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.folder.name)

    def tearDown(self):
        self.folder.cleanup()

    def run_of(self, actuator, requests):
        stem = f"anon.{actuator}"
        rows = [report(90, 0, 5, "populated"), report(99, 0, 9), report(105, 40), report(110, 80, 2), report(160, 90, 1)]
        samples = [sample(95, 7, 1.0), sample(99, 7, 1.4), sample(101, 10, 1.6), sample(161, 55, 9.6)]
        for suffix, lines in (("jsonl", rows), ("samples", samples)):
            (self.path / f"{stem}.{suffix}").write_text("".join(json.dumps(row) + "\n" for row in lines))
        (self.path / f"{stem}.resumed").write_text("100.0\n")
        quiet = {"actuator": None, "outcome": None}
        (self.path / f"{stem}.explain").write_text(json.dumps({"entries": [quiet, *requests]}))
        return summary.Run(self.path, "anon", actuator)

    def test_figures_are_of_the_time_since_reclaim_began(self):
        row = self.run_of("lru_gen", [request("lru_gen", 80, 1_500_000), request("memory.reclaim", 10, 500_000)]).figures()
        self.assertEqual(row["cold_out_mib"], 90)
        self.assertEqual(row["hot_out_mib"], 2)
        self.assertEqual(row["freed_mib"], 90)
        self.assertEqual(row["acted_percent"], 88.9)
        self.assertEqual(row["refaults"], 45)
        self.assertEqual(row["refaults_per_mib"], 0.5)
        self.assertEqual(row["mib_per_cpu_s"], 45)
        self.assertEqual(row["seconds_to_80"], 10)

    def test_of_damos_the_workers_count_beyond_their_pace_before(self):
        run = self.run_of("damos", [request("damos", 90, 1_000_000)])
        self.assertAlmostEqual(run.workers(), 8.0 - 0.1 * 60)
        self.assertAlmostEqual(run.cpu_s(), 3.0)
        self.assertEqual(run.figures()["acted_percent"], 100)

    def test_nothing_freed_is_no_ratio(self):
        row = self.run_of("pageout", []).figures()
        for key in ("acted_percent", "refaults_per_mib", "mib_per_cpu_s"):
            self.assertIsNone(row[key])
        self.assertIn("pageout", summary.table([row]))


if __name__ == "__main__":
    unittest.main()
