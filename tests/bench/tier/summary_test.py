"""The tier bench's figures, of reports that are written here."""

import json
import pathlib
import tempfile
import unittest

import summary
from summary import MIB


def sample(t, hot, cold=(0, 0), moved=0, thrash=0, phase=0):
    return {"t": t, "hot_nodes": [n * MIB for n in hot], "cold_nodes": [n * MIB for n in cold],
            "moved_bytes": moved * MIB, "thrash_bytes": thrash * MIB, "phase": phase}


class Summary(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def put(self, case, controller, reports, outcome="done", why=""):
        row = {"outcome": outcome, "why": why, "begin": 100.0}
        (self.folder / f"{case}.{controller}.outcome").write_text(json.dumps(row) + "\n")
        cpu = [{"cpu_s": 1.0, "monitor_cpu_s": 0.0}, {"cpu_s": 2.5, "monitor_cpu_s": 0.75}]
        (self.folder / f"{case}.{controller}.samples").write_text("".join(json.dumps(row) + "\n" for row in cpu))
        for name, rows in reports.items():
            text = "".join(json.dumps(row) + "\n" for row in rows)
            (self.folder / f"{case}.{controller}.{name}.jsonl").write_text(text)

    def result(self, cases, controllers):
        return summary.summary(self.folder, cases, controllers)[1]

    def test_placement_is_of_the_hot_bytes_and_time_of_the_begin(self):
        self.put("still", "cgtide", {
            "main": [sample(90, (64, 0)), sample(100, (0, 64), (96, 0)), sample(110, (60, 4), (48, 48), 108),
                     sample(120, (64, 0), (6, 90), 154, 1)],
            "plain": [sample(100, (0, 16)), sample(120, (0, 16))]})
        result = self.result(["still"], ["cgtide"])
        self.assertEqual(result["accuracy_still"], 1.0)
        self.assertEqual(result["converged_still_s"], 10.0)
        self.assertEqual(result["cold_demoted_percent"], 93.75)
        self.assertEqual(result["thrash_percent"], 0.65)
        self.assertEqual(result["foreign_bytes_moved"], 0)
        self.assertIsNone(result["accuracy_kernel_still"])
        row = summary.Run(self.folder, "still", "cgtide").row()
        self.assertEqual((row["cpu_s"], row["monitor_cpu_s"]), (2.5, 0.75))

    def test_each_phase_after_the_first_is_a_move(self):
        rows = []
        for phase in range(4):
            for t in range(0, 60, 10):
                hot = 0 if t < 10 * phase else 63
                rows.append(sample(100 + 60 * phase + t, (hot, 64 - hot), phase=phase))
        rows.append(sample(340, (0, 64), phase=4)) # has just begun
        self.put("moving", "kernel", {"main": rows})
        text, result = summary.summary(self.folder, ["moving"], ["kernel"])
        self.assertEqual(result["accuracy_kernel_moving"], 0.984)
        self.assertIn("30", text) # the longest of 10, 20 and 30 s

    def test_a_phase_that_never_was_good_tells_no_time(self):
        rows = [sample(100 + t, (10, 54), phase=t // 60) for t in range(0, 120, 10)]
        self.put("moving", "cgtide", {"main": rows})
        result = self.result(["moving"], ["cgtide"])
        self.assertIsNone(result["converged_moving_s"])
        self.assertEqual(result["accuracy_moving"], 0.156)

    def test_shares_are_held_against_both_together(self):
        self.put("shares", "cgtide", {
            "big": [sample(100, (0, 100)), sample(160, (84, 16))],
            "small": [sample(100, (0, 60)), sample(150, (39, 21)), sample(160, (39, 21))],
            "plain": [sample(100, (0, 16)), sample(160, (2, 14), moved=2)]})
        result = self.result(["shares"], ["cgtide"])
        self.assertEqual(result["share_error_bp"], 250.0)
        self.assertEqual(result["foreign_bytes_moved"], 2 * MIB)

    def test_what_has_failed_is_named(self):
        self.put("hog", "none", {"victim": [sample(100, (0, 64))]})
        self.put("hog", "kernel", {}, "failed", "it is not there")
        result = self.result(["hog"], ["none", "kernel", "cgtide"])
        self.assertEqual(result["accuracy_none_hog"], 0.0)
        self.assertEqual(result["errors"], [
            "hog: kernel: it is not there",
            "hog: cgtide: it did not come to its end: the scenario or its machine ended before"])


if __name__ == "__main__":
    unittest.main()
