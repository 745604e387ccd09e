#!/usr/bin/env python3
"""What the pages point at exists: linked pages and headings, files of the tree, tests by name. usage: references_test.py ROOT"""
import pathlib
import re
import sys
import unittest

ROOT = pathlib.Path(sys.argv.pop(1) if len(sys.argv) > 1 else ".").resolve()
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
FILE = re.compile(r"(?:\.ci|cgroup|docs|engine|examples|hook|oci|tests)/[a-z0-9_./-]+")
TEST = re.compile(r"[A-Z]\w+\.[A-Z]\w+")
DEFINED = re.compile(r"^TEST(?:_F|_P)?\((\w+),\s*(\w+)\)", re.M)


def pages():
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def anchors(page):
    """Headings as GitHub names them."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


class References(unittest.TestCase):
    maxDiff = None

    def test_links_lead_somewhere(self):
        broken = []
        for page in pages():
            for target in LINK.findall(page.read_text()):
                if "://" in target:
                    continue
                path, _, heading = target.partition("#")
                file = (page.parent / path).resolve() if path else page
                if not file.exists() or (heading and heading not in anchors(file)):
                    broken.append(f"{page.relative_to(ROOT)}: {target}")
        self.assertEqual([], broken)

    def test_files_that_are_named_exist(self):
        missing = []
        for page in pages():
            for code in CODE.findall(page.read_text()):
                for word in code.split():
                    if FILE.fullmatch(word) and not (ROOT / word).exists():
                        missing.append(f"{page.relative_to(ROOT)}: {word}")
        self.assertEqual([], missing)

    def test_tests_that_are_named_exist(self):
        defined = {
            ".".join(name)
            for file in (ROOT / "tests").rglob("*_test.cpp")
            for name in DEFINED.findall(file.read_text())
        }
        named = {
            (str(page.relative_to(ROOT)), code)
            for page in pages()
            for code in CODE.findall(page.read_text())
            if TEST.fullmatch(code)
        }
        self.assertGreater(len(named), 30)
        self.assertEqual([], sorted(item for item in named if item[1] not in defined))


if __name__ == "__main__":
    unittest.main()
