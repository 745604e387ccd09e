#!/usr/bin/env python3
"""Each test that a page of an app names for a fault is there. usage: faults_test.py ROOT"""
import pathlib
import re
import sys
import unittest

ROOT = pathlib.Path(sys.argv.pop(1) if len(sys.argv) > 1 else ".")
PAGES = ("reclaim", "tier")
CASE = re.compile(r"^TEST(?:_F|_P)?\((\w+),\s*(\w+)\)", re.M)


def rows_of(page):
    """The cells of the rows of a page: fault, what happens, tests."""
    text = (ROOT / f"docs/apps/{page}.md").read_text()
    section = text[text.index("## Faults") :].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def rows():
    return [row for page in PAGES for row in rows_of(page)]


def cases(folder):
    """`Suite.Case` of the tests below a folder."""
    texts = [path.read_text() for path in (ROOT / folder).rglob("*_test.cpp")]
    return {f"{suite}.{case}" for text in texts for suite, case in CASE.findall(text)}


class Faults(unittest.TestCase):
    def test_every_fault_has_a_test(self):
        for page in PAGES:
            self.assertGreater(len(rows_of(page)), 10, page)
        for row in rows():
            self.assertEqual(len(row), 3, row)
            self.assertRegex(row[2], r"`\w+\.\w+`", row[0])

    def test_the_named_cases_exist(self):
        unit, daemon = cases("tests/engine") | cases("tests/oci"), cases("tests/daemon")
        for fault, _, tests in rows():
            for name, place in re.findall(r"`(\w+\.\w+)`( \(d\))?", tests):
                self.assertIn(name, daemon if place else unit, fault)

    def test_the_named_scenarios_exist_and_run(self):
        registered = (ROOT / "tests/vm/CMakeLists.txt").read_text()
        for fault, _, tests in rows():
            for name in re.findall(r"vm\.([\w-]+)", tests):
                self.assertTrue((ROOT / f"tests/vm/scenarios/{name}.sh").is_file(), fault)
                self.assertRegex(registered, rf"cgtide_vm_test\(vm(-all)? {name} ", fault)


if __name__ == "__main__":
    unittest.main()
