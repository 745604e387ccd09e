#!/usr/bin/env python3
"""The idle-accuracy bench has the layouts that it promises, and measures what it says."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import compare  # noqa: E402
import layouts  # noqa: E402

MIB = 1 << 20


class Layouts(unittest.TestCase):
    def test_every_special_case_is_among_ten_seeds(self):
        specials = [container["special"] for seed in layouts.SEEDS for container in layouts.layout(seed)]
        self.assertEqual(set(layouts.SPECIALS), set(specials))
        self.assertEqual(10, len(layouts.SEEDS))

    def test_a_seed_gives_the_same_layout_again_and_no_other_does(self):
        self.assertEqual(layouts.layout(3), layouts.layout(3))
        self.assertNotEqual(layouts.layout(3)[0]["args"], layouts.layout(9)[0]["args"])

    def test_twenty_processes_are_twenty(self):
        args = next(layouts.layout(seed)[0]["args"] for seed in layouts.SEEDS
                    if layouts.layout(seed)[0]["special"] == "20 processes")
        self.assertEqual(19, args.count("fork"))

    def test_a_borrower_comes_after_the_owner_of_its_file(self):
        owner, peer = next(layouts.layout(seed) for seed in layouts.SEEDS if len(layouts.layout(seed)) == 2)
        path = peer["args"][0].split(":")[3]
        self.assertTrue(any(arg.startswith("file:") and arg.endswith(":" + path) for arg in owner["args"]))

    def test_layouts_may_be_chosen(self):
        self.assertEqual(["fixed", "seeds-7-7"], [group["name"] for group in layouts.groups(["fixed", "7"])])


def part(used_ms, mebibytes, path="", charged=True):
    return {"used_ms": used_ms, "bytes": mebibytes * MIB, "path": path, "charged": charged}


def log(*parts, t_ms=100_000):
    return compare.Log([{"t_ms": t_ms, "parts": list(parts)}])


def told(cold, seen, unseen=0, percentiles=(0, 0), unsure=0):
    """`percentiles`: MiB in use, then the idle seconds of the rest; `unsure` of what is seen is told as idle for less than 10 s."""
    hot, idle_s = percentiles
    sure = seen - unsure
    return {"age_ms": 0, "watched_us": 60_000_000, "source": "regions",
            "cold": [{"age_us": 10_000_000, "anon_bytes": cold * MIB, "file_bytes": None, "unsure_bytes": unsure * MIB}],
            "seen_bytes": seen * MIB, "unsure_bytes": unsure * MIB, "unseen_bytes": unseen * MIB, "charged_bytes": (seen + unseen) * MIB,
            "percentiles_us": [-1 if p * sure / 100 <= hot else idle_s * 1_000_000 for p in range(101)]}


class Truth(unittest.TestCase):
    def test_is_of_the_last_account_before(self):
        account = compare.Log([{"t_ms": 1000, "parts": [1]}, {"t_ms": 2000, "parts": [2]}])
        self.assertEqual([1], account.parts_at(1999))
        self.assertEqual([2], account.parts_at(2000))
        self.assertRaises(ValueError, account.parts_at, 999)

    def test_counts_what_is_charged_and_is_bounded_by_the_time_watched(self):
        logs = {"a": log(part(99_000, 2), part(10_000, 3), part(0, 9, "/f", charged=False), part(0, 0))}
        self.assertEqual([(1000, 2 * MIB), (60_000, 3 * MIB)], compare.truth_at(logs, "a", 100_000, 60_000))

    def test_knows_the_uses_of_the_other_container(self):
        logs = {"a": log(part(10_000, 3, "/f")), "b": log(part(98_000, 3, "/f", charged=False))}
        self.assertEqual([(2000, 3 * MIB)], compare.truth_at(logs, "a", 100_000, 60_000))


class ColdError(unittest.TestCase):
    TRUTH = [(0, 40 * MIB), (60_000, 60 * MIB)]

    def error(self, truth, idle):
        return compare.cold_error_percent(truth, idle)[0]

    def test_is_a_share_of_the_truth_on_both_sides(self):
        self.assertEqual(0, self.error(self.TRUTH, told(60, 100)))
        self.assertAlmostEqual(5, self.error(self.TRUTH, told(63, 100)))
        self.assertAlmostEqual(5, self.error(self.TRUTH, told(57, 100)))

    def test_unseen_covers_a_shortfall_and_no_excess(self):
        self.assertEqual(0, self.error(self.TRUTH, told(50, 90, 10)))
        self.assertAlmostEqual(10, self.error(self.TRUTH, told(66, 90, 10)))

    def test_what_may_be_idle_for_longer_covers_a_shortfall_and_no_excess(self):
        self.assertEqual(0, self.error(self.TRUTH, told(48, 100, unsure=12)))
        self.assertAlmostEqual(10, self.error(self.TRUTH, told(42, 100, unsure=12)))
        self.assertAlmostEqual(10, self.error(self.TRUTH, told(66, 100, unsure=12)))

    def test_bytes_close_to_the_age_may_be_either(self):
        truth = [(0, 40 * MIB), (9000, 20 * MIB), (60_000, 40 * MIB)]
        self.assertEqual(0, self.error(truth, told(40, 100)))
        self.assertEqual(0, self.error(truth, told(60, 100)))
        self.assertAlmostEqual(50, self.error(truth, told(80, 100)))

    def test_the_processes_own_bytes_may_be_either(self):
        self.assertEqual(0, self.error(self.TRUTH, told(62, 102)))


class PercentileError(unittest.TestCase):
    TRUTH = [(200, 40 * MIB), (60_000, 60 * MIB)]

    def test_is_none_where_all_are_right(self):
        self.assertLess(compare.percentile_error(self.TRUTH, told(60, 100, percentiles=(40, 60))), 0.3)

    def test_is_the_distance_in_aggregations(self):
        self.assertAlmostEqual(3, compare.percentile_error(self.TRUTH, told(60, 100, percentiles=(40, 57))))

    def test_forgives_a_jump_one_percent_off_and_no_more(self):
        self.assertLess(compare.percentile_error(self.TRUTH, told(60, 100, percentiles=(41, 60))), 0.3)
        self.assertGreater(compare.percentile_error(self.TRUTH, told(60, 100, percentiles=(44, 60))), 50)

    def test_unseen_bytes_may_be_any(self):
        self.assertLess(compare.percentile_error(self.TRUTH, told(60, 60, 40, percentiles=(0, 60))), 0.3)
        self.assertLess(compare.percentile_error(self.TRUTH, told(30, 70, 30, percentiles=(40, 60))), 0.3)
        self.assertGreater(compare.percentile_error(self.TRUTH, told(60, 90, 10, percentiles=(0, 60))), 50)

    def test_are_of_the_bytes_whose_age_is_sure(self):
        self.assertLess(compare.percentile_error(self.TRUTH, told(60, 100, percentiles=(0, 60), unsure=40)), 0.3)
        self.assertGreater(compare.percentile_error(self.TRUTH, told(60, 100, percentiles=(0, 60), unsure=30)), 50)


class Summary(unittest.TestCase):
    def test_takes_the_median_view_and_the_worst_container(self):
        row = compare.middle([{"error": 1, "percentile": 5}, {"error": 9, "percentile": 0}, {"error": 2, "percentile": 1}])
        self.assertEqual((2, 9, 1), (row["error"], row["largest"], row["percentile"]))
        made = [{"run": "default", "error": 1.5, "percentile": 1, "charged": 100, "unseen": 10, "unsure": 4},
                {"run": "default", "error": 4.0, "percentile": 0, "charged": 100, "unseen": 0, "unsure": 0},
                {"run": "regions", "error": 3.0, "percentile": 7, "charged": 100, "unseen": 0, "unsure": 0}]
        self.assertEqual({"max_error_percent_generations": None, "max_error_percent_regions": 3.0, "max_error_percent_default": 4.0,
                          "max_error_percent_default_100": None, "unseen_percent": 5.0, "unsure_percent": 2.0,
                          "max_percentile_error_aggregations": 1},
                         compare.summary(made))


if __name__ == "__main__":
    unittest.main()
