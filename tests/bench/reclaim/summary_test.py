"""Tests of measured.py, summary.py, sampler.py and redis_load.py on made results."""

import contextlib
import io
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import measured
import redis_load
import sampler
import summary

MIB = 1 << 20


def sample(t, usage, swap=0, refaults=0, cpu=0.0, **others):
    """A line of the sampler: usage and swap of web/main in MiB; half of what is swapped stays in zram."""
    group = {
        "usage": usage * MIB, "swap": swap * MIB, "file": others.get("file", 0) * MIB, "refaults": refaults, "major_faults": 0,
        "memory_stall_us": others.get("stall_us", 0), "io_stall_us": 0,
    }
    plain = dict(group, usage=8 * MIB, swap=0, refaults=0)
    foreign = others.get("foreign", 0) * MIB
    return {
        "t": t, "groups": {"web/main": group, "plain/one": plain}, "foreign_swap": foreign, "zram": (swap * MIB + foreign) // 2,
        "cpu_s": cpu, "monitor_cpu_s": 0.5, "alive": others.get("alive", True),
    }


def report(event, t, cold_resident, passes, **others):
    row = {
        "event": event, "t": t, "hot_bytes": 32 * MIB, "hot_resident": 32 * MIB, "cold_bytes": 96 * MIB,
        "cold_resident": cold_resident * MIB, "passes": passes, "cpu_s": float(passes), "phase": 0,
    }
    return row | others


def written(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


REPORTS = [report("populated", 100.0, 96, 0), report("sample", 101.0, 96, 1), report("sample", 120.0, 96, 20)]
SAMPLES = [sample(100, 128), sample(110, 128), sample(120, 128)]


class Made(unittest.TestCase):
    """Has a folder of results."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name)

    def put(self, controller, samples, reports=None, case="cold-heavy", outcome="done", why=""):
        ended = {"outcome": outcome, "why": why, "begin": 100.0}
        (self.path / f"{case}.{controller}.outcome").write_text(json.dumps(ended))
        (self.path / f"{case}.{controller}.samples").write_text(written(samples))
        for name in ("main", "one"):
            (self.path / f"{case}.{controller}.{name}.jsonl").write_text(written(reports or REPORTS))

    def run_of(self, samples, reports=None, case="cold-heavy", none=None):
        self.put("cgtide", samples, reports, case)
        return measured.Run(measured.Outcome(self.path, case, "cgtide"), none)

    def failure_of(self, samples, reports=None):
        with self.assertRaises(measured.Failed) as caught:
            self.run_of(samples, reports).work()
        return str(caught.exception)

    def case(self, *controllers, name="cold-heavy"):
        return summary.Case(self.path, name, controllers)

    def main(self, cases, controllers):
        """Status, and the printed tables and figures."""
        printed = io.StringIO()
        sys.argv = ["summary.py", str(self.path), str(self.path / "slowdown.json"), cases, controllers]
        with contextlib.redirect_stdout(printed):
            status = summary.main()
        tables, _, last = printed.getvalue().rstrip("\n").rpartition("\n")
        return status, tables, json.loads(last)


class Saved(Made):
    def test_is_the_mean_fall_less_what_zram_takes(self):
        run = self.run_of([sample(99, 40), sample(100, 128), sample(110, 128), sample(120, 32, swap=96)])
        self.assertAlmostEqual(run.net_saved() / MIB, (96 - 48) / 3)
        self.assertAlmostEqual(run.zram_share(), 0.5)

    def test_what_left_before_all_was_ready_is_saved_too(self):
        self.put("none", [sample(99, 0), sample(100, 130), sample(120, 132)])
        none = measured.Run(measured.Outcome(self.path, "cold-heavy", "none"))
        run = self.run_of([sample(90, 0), sample(100, 71, swap=60), sample(120, 71, swap=60)], none=none)
        self.assertAlmostEqual(run.net_saved() / MIB, 60 - 30)
        self.assertEqual(run.start_seconds(), 10)
        self.assertAlmostEqual(none.net_saved(), 0)

    def test_is_told_at_instants(self):
        run = self.run_of([sample(100, 128), sample(108, 120), sample(110, 118), sample(120, 28)])
        self.assertAlmostEqual(run.net_saved_at(0.5) / MIB, 9)
        self.assertAlmostEqual(run.net_saved_at(1) / MIB, 100)
        self.assertIsNone(run.net_saved_at(0.75))

    def test_zram_of_other_peoples_pages_does_not_count(self):
        run = self.run_of([sample(100, 128), sample(120, 98, swap=30, foreign=10)])
        self.assertAlmostEqual(run.saved(run.last) / MIB, 30 - 15)
        self.assertEqual(run.foreign_swap(), 10 * MIB)

    def test_what_is_mapped_anew_is_no_loss(self):
        grown = report("sample", 110.0, 96, 10, hot_bytes=40 * MIB, hot_resident=40 * MIB)
        run = self.run_of([sample(100, 128), sample(120, 116, swap=20)], [REPORTS[0], grown, dict(grown, t=120.0, passes=20)])
        self.assertAlmostEqual(run.saved(run.last) / MIB, 20 - 10)

    def test_the_oracle_waits_until_memory_is_cold(self):
        # 96 MiB at half their size in the second of two halves.
        self.assertAlmostEqual(self.run_of(SAMPLES).oracle(0.5) / MIB, 24)

    def test_the_oracle_waits_anew_where_hot_and_cold_have_changed_places(self):
        rows = [report("populated", 100.0, 96, 0), report("sample", 115.0, 96, 1), report("sample", 116.0, 96, 2, phase=1),
                report("sample", 120.0, 96, 2, phase=1)]
        # 5 of 20 seconds: the second phase is over before anything is cold.
        self.assertAlmostEqual(self.run_of(SAMPLES, rows).oracle(0.5) / MIB, 12)

    def test_memory_that_is_cold_before_the_window_is_out_all_the_time(self):
        rows = [report("populated", 90.0, 96, 0), *REPORTS[1:]]
        self.assertAlmostEqual(self.run_of(SAMPLES, rows).oracle(0.5) / MIB, 48)

    def test_page_cache_that_is_read_once_is_cold(self):
        rows = [dict(row, cold_bytes=0, cold_resident=0) for row in REPORTS]
        run = self.run_of([sample(100, 128, file=48), sample(120, 128, file=12)], rows, "page-cache")
        self.assertAlmostEqual(run.oracle(0.5) / MIB, 24)
        self.assertEqual(run.cache_out(), 0.75)


class Bytes(Made):
    def test_hot_memory_that_comes_back_and_leaves_again_was_taken_twice(self):
        rows = [report("sample", 100.0 + i, 96, i, hot_resident=hot * MIB) for i, hot in enumerate((32, 24, 32, 24, 24))]
        rows[0]["event"] = "populated"
        run = self.run_of([sample(100, 128), sample(105, 128)], rows)
        self.assertAlmostEqual(run.hot_taken(), 0.5)
        self.assertAlmostEqual(max(run.out("hot")), 0.25)

    def test_hot_memory_that_was_cold_before_was_not_taken_from_it(self):
        rows = [REPORTS[0], REPORTS[1], report("sample", 120.0, 96, 2, phase=1, hot_resident=0)]
        self.assertEqual(self.run_of(SAMPLES, rows).hot_taken(), 0)

    def test_hot_memory_that_grows_hides_nothing_that_was_taken(self):
        rows = [REPORTS[0], REPORTS[1], report("sample", 120.0, 96, 2, hot_bytes=64 * MIB, hot_resident=56 * MIB)]
        self.assertAlmostEqual(self.run_of(SAMPLES, rows).hot_taken(), 8 / 64)

    def test_what_happens_after_the_last_sample_does_not_count(self):
        rows = REPORTS + [report("sample", 121.0, 0, 400, hot_resident=0)]
        run = self.run_of(SAMPLES, rows)
        self.assertEqual(run.hot_taken(), 0)
        self.assertEqual(run.out("cold")[-1], 0)
        self.assertAlmostEqual(run.work()["web/main"], 1)


class Costs(Made):
    def test_the_longest_pressure_is_of_neighbouring_samples(self):
        stalls = [0, 2_000, 4_000, 4_000, 6_000]
        run = self.run_of([sample(100 + i, 128, stall_us=stall) for i, stall in enumerate(stalls)], REPORTS[:2])
        self.assertEqual(run.longest_pressure(), 2)

    def test_work_is_held_against_the_same_work_without_a_controller(self):
        self.put("none", SAMPLES)
        self.put("cgtide", SAMPLES, [dict(row, passes=row["passes"] / 2) for row in REPORTS])
        rows = self.case("none", "cgtide").rows
        self.assertEqual([row["work_to_none"] for row in rows.values()], [1.0, 0.5])

    def test_a_server_has_no_truth_and_is_told_by_requests_and_latencies(self):
        for controller, ops, p99 in (("none", 1000, 2000), ("cgtide", 900, 3000)):
            rows = [{"event": "populated", "t": 100.0, "passes": 0}, {"event": "sample", "t": 120.0, "passes": ops * 20},
                    {"event": "total", "t": 121.0, "passes": ops * 21, "p50_us": 500, "p99_us": p99}]
            self.put(controller, SAMPLES, rows, "redis")
        case = self.case("none", "cgtide", name="redis")
        row = case.rows["cgtide"]
        self.assertEqual((row["ops_per_s"], row["p99_ms"], row["p99_to_none"], row["work_to_none"]), (900, 3, 1.5, 0.9))
        self.assertIsNone(row["cold_out_percent"])
        self.assertIsNone(row["hot_taken_percent"])
        self.assertEqual(case.figures()["redis_p99_to_none"], 1.5)
        self.assertNotIn("cold_out_percent", case.text())

    def test_a_server_that_holds_more_from_its_start_has_lost_nothing_by_that(self):
        for controller, more in (("none", 0), ("cgtide", 4)):
            heap = {"heap_bytes": (120 + more) * MIB}
            rows = [{"event": "populated", "t": 100.0, "passes": 0, **heap}, {"event": "sample", "t": 120.0, "passes": 20, **heap},
                    {"event": "total", "t": 121.0, "passes": 21, "p50_us": 1, "p99_us": 2, **heap}]
            self.put(controller, [sample(t, 128 + more) for t in (100, 110, 120)], rows, "redis")
        rows = self.case("none", "cgtide", name="redis").rows
        self.assertEqual([row["net_saved_mib"] for row in rows.values()], [0, 0])


class Compared(Made):
    def test_a_case_is_held_against_its_peers(self):
        self.put("none", SAMPLES)
        self.put("cgtide", [sample(100, 128, cpu=1.5), sample(110, 128, cpu=1.5), sample(120, 32, 96, refaults=10, cpu=3.0)])
        self.put("oomd-reclaim-tuned", [sample(100, 128, cpu=1.0), sample(110, 64, 64), sample(120, 32, 96, refaults=5, cpu=4.0)])
        case = self.case("none", "cgtide", "oomd-reclaim-tuned")
        self.assertEqual([row["monitor_cpu_s"] for row in case.rows.values()], [None, 0.5, None])
        figures = case.figures()
        self.assertEqual(figures["cpu_ratio_to_oomd"], 0.5)
        self.assertEqual(figures["cpu_ratio_to_oomd_with_start"], 0.75)
        self.assertEqual(figures["beaten_by"], ["oomd-reclaim-tuned"])
        self.assertEqual(figures["foreign_bytes_reclaimed"], 0)
        self.assertAlmostEqual(figures["net_saved_to_oracle"], 16 / 24, 3)
        self.assertAlmostEqual(figures["peer_best_net_saved_to_oracle"], 80 / 3 / 24, 2)
        self.assertAlmostEqual(figures["refaults_per_saved_mib"], 10 / 16)

    def test_who_pays_for_what_more_it_saves_does_not_beat(self):
        ours = {"net_saved_mib": 50.0, "refaults": 10}
        self.assertTrue(summary.beats({"net_saved_mib": 51.1, "refaults": 10}, ours))
        self.assertFalse(summary.beats({"net_saved_mib": 52.0, "refaults": 11}, ours))
        self.assertFalse(summary.beats({"net_saved_mib": 50.5, "refaults": 0}, ours))

    def test_who_saves_nothing_beats_nobody(self):
        ours = {"net_saved_mib": -0.3, "refaults": 0}
        self.assertFalse(summary.beats({"net_saved_mib": 0.0, "refaults": 0}, ours))
        self.assertTrue(summary.beats({"net_saved_mib": 1.0, "refaults": 0}, ours))

    def test_little_that_is_saved_has_no_refaults_for_it(self):
        self.put("none", SAMPLES)
        row = self.case("none").rows["none"]
        self.assertEqual(row["net_saved_mib"], 0)
        self.assertIsNone(row["refaults_per_saved_mib"])


class Robust(Made):
    def test_tells_a_controller_that_has_ended_and_when(self):
        self.put("oomd-high", [sample(100, 128), sample(110, 128), sample(113, 128, alive=False), sample(120, 128, alive=False)])
        self.put("cgtide", SAMPLES)
        status, tables, figures = self.main("cold-heavy", "cgtide,oomd-high")
        self.assertEqual(status, 1)
        self.assertIn("oomd-high  ERROR: the controller has ended, 13 s after it was started", tables)
        self.assertEqual(len(figures["errors"]), 1)
        self.assertEqual(figures["beaten_by"], [])

    def test_tells_what_failed_and_what_a_kernel_lacks(self):
        self.put("cgtide", SAMPLES)
        self.put("oomd-high", [], outcome="failed", why="no /run/main")
        self.put("damon-reclaim", [], outcome="skipped", why="no DAMON_RECLAIM here")
        status, tables, figures = self.main("cold-heavy", "cgtide,oomd-high,damon-reclaim,none")
        self.assertEqual(status, 1)
        self.assertIn("oomd-high  ERROR: no /run/main", tables)
        self.assertIn("damon-reclaim  skipped: no DAMON_RECLAIM here", tables)
        self.assertEqual(figures["skipped"], ["cold-heavy damon-reclaim: no DAMON_RECLAIM here"])
        self.assertIn("cold-heavy none: it did not come to its end", figures["errors"][1])

    def test_skips_are_no_errors(self):
        self.put("damon-reclaim", [], outcome="skipped", why="none here")
        self.put("cgtide", SAMPLES)
        (self.path / "slowdown.json").write_text('{"work_per_cpu_low": 0.97}\n')
        status, _, figures = self.main("cold-heavy", "cgtide,damon-reclaim")
        self.assertEqual((status, figures["slowdown_lower"], figures["errors"]), (0, 0.97, []))

    def test_keys_that_were_not_measured_are_null(self):
        _, _, figures = self.main("cold-heavy,redis", "cgtide")
        for key in ("net_saved_to_oracle", "cold_out_percent", "hot_out_percent", "slowdown_lower", "refaults_per_saved_mib",
                    "peer_best_refaults_per_saved_mib", "cpu_ratio_to_oomd", "foreign_bytes_reclaimed", "beaten_by",
                    "peer_best_net_saved_to_oracle", "redis_net_saved_mib", "redis_p99_to_none"):
            self.assertIsNone(figures[key], key)
        self.assertNotIn("p99_ms", figures)

    def test_names_what_is_missing_or_broken(self):
        self.assertIn("cgtide.samples is empty", self.failure_of([]))
        self.assertIn("0 samples after all was populated", self.failure_of([sample(99, 128)]))
        self.assertIn("was never populated", self.failure_of(SAMPLES, REPORTS[1:]))
        self.assertIn("reported 1 times", self.failure_of(SAMPLES[:2], REPORTS[:1]))
        self.assertIn("web/main has ended, 1 s after", self.failure_of(SAMPLES, REPORTS[:2]))
        self.assertIn("no container was ever there", self.failure_of([dict(row, groups={}) for row in SAMPLES]))
        self.put("cgtide", SAMPLES)
        (self.path / "cold-heavy.cgtide.one.jsonl").write_text(written(REPORTS) + '{"event": "sam')
        self.assertIn("one.jsonl, line 4 is no JSON", self.case("cgtide").failed["cgtide"])
        (self.path / "cold-heavy.cgtide.one.jsonl").unlink()
        self.assertIn("one.jsonl is missing", self.case("cgtide").failed["cgtide"])


class Sampler(unittest.TestCase):
    def test_who_has_ended_does_not_live_even_where_nobody_has_waited(self):
        self.assertTrue(sampler.lives(os.getpid()))
        child = subprocess.Popen(["true"])
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        self.assertFalse(sampler.lives(child.pid))
        child.wait()
        self.assertFalse(sampler.lives(child.pid))


class RedisLoad(unittest.TestCase):
    def test_speaks_the_protocol(self):
        self.assertEqual(redis_load.command(b"GET", b"key:1"), b"*2\r\n$3\r\nGET\r\n$5\r\nkey:1\r\n")

    def test_percentiles_are_by_nearest_rank(self):
        of_hundred = redis_load.percentiles(range(1000, 101_000, 1000))
        self.assertEqual(of_hundred, {"p50_us": 50, "p99_us": 99, "p999_us": 100, "max_us": 100})
        self.assertEqual(redis_load.percentiles([5000])["p50_us"], 5)
        self.assertEqual(redis_load.percentiles([]), {})

    def test_popularity_is_zipfian_and_the_same_each_time(self):
        numbers, sums = redis_load.popularity(count=4, skew=1)
        self.assertEqual(sorted(numbers), [0, 1, 2, 3])
        self.assertEqual(redis_load.popularity(count=4, skew=1)[0], numbers)
        self.assertAlmostEqual(sums[1], 1.5)
        self.assertAlmostEqual(sums[3] - sums[2], 0.25)

    def served(self, answer):
        """A socket whose other end answers each command that is of one read."""
        client, server = socket.socketpair()
        self.addCleanup(client.close)

        def serve():
            with server, contextlib.suppress(ConnectionError):
                while server.recv(1 << 20):
                    server.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        return client

    def asked(self, answer, requests):
        """The report of a client that is ended after so many requests."""
        with tempfile.TemporaryDirectory() as folder:
            report = redis_load.Report(f"{folder}/report")
            self.addCleanup(report.file.close)
            report.all = Limited(requests)
            with contextlib.suppress(redis_load.Ended):
                redis_load.ask(self.served(answer), report)
            report.write("total", report.all)
            report.file.close()
            text = pathlib.Path(report.file.name).read_text()
            self.assertTrue(text.startswith('{"event":"'))
            return [json.loads(line) for line in text.splitlines()]

    def test_counts_each_answered_request(self):
        value = b"$4096\r\n" + bytes(4096) + b"\r\n"
        total = self.asked(value, 3)[-1]
        self.assertEqual((total["event"], total["passes"]), ("total", 3))
        self.assertGreater(total["p50_us"], 0)

    def test_asks_for_the_servers_heap(self):
        text = b"# Memory\r\nused_memory:9\r\nallocator_resident:5242880\r\n"
        self.assertEqual(redis_load.heap_bytes(self.served(b"$%d\r\n%b\r\n" % (len(text), text))), 5 * MIB)

    def test_ends_where_the_server_says_something_else(self):
        with self.assertRaisesRegex(ConnectionError, "INFO was answered by"):
            redis_load.heap_bytes(self.served(b"-ERR no\r\n"))
        with self.assertRaisesRegex(ConnectionError, "INFO tells nothing"):
            redis_load.heap_bytes(self.served(b"$4\r\nused\r\n"))
        with self.assertRaisesRegex(ConnectionError, "GET was answered by"):
            self.asked(b"-ERR no" + bytes(5000), 3)
        with self.assertRaisesRegex(ConnectionError, "SET was answered by"):
            redis_load.fill(self.served(b"-ERR no" + bytes(2000)))


class Limited(list):
    """Latencies, of which the last that is wanted ends the client."""

    def __init__(self, most):
        super().__init__()
        self.most = most

    def append(self, latency):
        super().append(latency)
        if len(self) == self.most:
            raise redis_load.Ended


if __name__ == "__main__":
    unittest.main()
