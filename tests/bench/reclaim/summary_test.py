"""Tests of summary.py on made results."""

import json
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import summary

MIB = 1 << 20


def sample(t, usage, swap=0, refaults=0, cpu=0.0):
    group = {"usage": usage * MIB, "swap": swap * MIB, "file": 0, "refaults": refaults, "major_faults": 0,
             "memory_stall_us": 0, "io_stall_us": 0}
    plain = dict(group, usage=8 * MIB, swap=0, refaults=0)
    return {"t": t, "groups": {"web/main": group, "plain/one": plain}, "zram": swap * MIB // 2, "cpu_s": cpu, "monitor_cpu_s": 0.5}


def report(event, t, cold_resident, passes):
    return {"event": event, "t": t, "hot_bytes": 32 * MIB, "hot_resident": 32 * MIB, "cold_bytes": 96 * MIB,
            "cold_resident": cold_resident * MIB, "passes": passes, "cpu_s": float(passes)}


class Summary(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.folder.name)

    def tearDown(self):
        self.folder.cleanup()

    def run_of(self, controller, samples, cold_at_end):
        (self.path / f"cold-heavy.{controller}.samples").write_text("".join(json.dumps(row) + "\n" for row in samples))
        for name in ("main", "one"):
            rows = [report("populated", 100.0, 96, 0), report("sample", 101.0, 96, 1), report("sample", 120.0, cold_at_end, 11)]
            (self.path / f"cold-heavy.{controller}.{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        return summary.Run(self.path, "cold-heavy", controller)

    def test_net_saved_is_the_mean_fall_less_what_zram_takes(self):
        run = self.run_of("cgtide", [sample(99, 40), sample(100, 128), sample(110, 128), sample(120, 32, swap=96)], 0)
        self.assertAlmostEqual(run.net_saved() / MIB, (96 - 48) / 3)
        self.assertAlmostEqual(run.zram_share(), 0.5)
        # 96 MiB at half their size in the second of two halves.
        self.assertAlmostEqual(run.oracle(0.5) / MIB, 24)

    def test_a_case_is_held_against_its_peers(self):
        ours = self.run_of("cgtide", [sample(100, 128), sample(110, 128), sample(120, 32, 96, refaults=10, cpu=2.0)], 0)
        none = self.run_of("none", [sample(100, 128), sample(120, 128)], 96)
        oomd = self.run_of("oomd-reclaim-tuned", [sample(100, 128), sample(110, 64, 64), sample(120, 32, 96, refaults=5, cpu=4.0)], 48)
        rows, figures = summary.summarise_case([none, ours, oomd])
        self.assertEqual(figures["cpu_ratio_to_oomd"], 0.5)
        self.assertEqual(figures["cold_out_percent"], 100.0)
        self.assertEqual(figures["hot_out_percent"], 0.0)
        self.assertEqual(figures["beaten_by"], ["oomd-reclaim-tuned"])
        self.assertEqual(figures["foreign_bytes_reclaimed"], 0)
        self.assertEqual(rows["oomd-reclaim-tuned"]["cold_out_percent"], 50.0)
        self.assertEqual(rows["none"]["net_saved_mib"], 0.0)
        self.assertIsNone(rows["none"]["refaults_per_saved_mib"])
        self.assertIn("oomd-reclaim-tuned", summary.table(list(rows.values())))


if __name__ == "__main__":
    unittest.main()
