"""The summary of monitor-cost's rounds."""

import unittest

import summary


def ours(count, cpu_us, workers_us=0, **more):
    row = {"side": "cgtide", "count": count, "cpu_us": cpu_us, "workers_us": workers_us, "wall_us": 10_000_000}
    return row | {"rss_kib": 20480, "lost": 0, "other": 0, "in_commit": 0} | more


def theirs(count, cpu_us, conversion_us):
    return {
        "side": "damo", "count": count, "cpu_us": cpu_us, "workers_us": 0, "wall_us": 10_000_000,
        "conversion_us": conversion_us, "record_us": 20_000_000,
    }


class Summary(unittest.TestCase):
    def test_a_window_has_its_share_of_damos_conversion(self):
        keys, _ = summary.summarise([ours(400, 200_000), theirs(400, 600_000, 800_000)])
        self.assertEqual(keys["engine_cpu_ratio_to_damo_400"], 0.2)
        self.assertEqual(keys["engine_cpu_ratio_to_damo_recording_400"], 0.333)

    def test_costs_are_medians_by_container_with_the_workers(self):
        rows = [ours(10, 50_000, 50_000), ours(10, 900_000, 0), ours(10, 100_000, 100_000)]
        keys, _ = summary.summarise(rows)
        self.assertEqual(keys["cpu_percent_per_container_10"], 0.2)
        self.assertIsNone(keys["cpu_percent_per_container_400"])

    def test_sides_of_unlike_length_are_compared_by_share(self):
        rows = [
            {"side": "counters", "count": 500, "cpu_us": 300_000, "wall_us": 30_000_000},
            {"side": "loop", "count": 500, "cpu_us": 100_000, "wall_us": 15_000_000},
        ]
        self.assertEqual(summary.summarise(rows)[0]["guest_cpu_ratio_500"], 1.5)

    def test_dropped_events_are_summed_and_commits_told_apart(self):
        keys, _ = summary.summarise([ours(1, 1, lost=2, in_commit=5), ours(1, 1, other=1)])
        self.assertEqual(keys["events_dropped"], 8)
        self.assertEqual(keys["events_dropped_outside_commits"], 3)

    def test_nothing_measured_is_null(self):
        keys, lines = summary.summarise([])
        self.assertEqual(set(keys.values()), {None})
        self.assertEqual(len(lines), 1)


if __name__ == "__main__":
    unittest.main()
