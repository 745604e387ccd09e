#!/usr/bin/env python3
"""docs/annotations.md has the keys of oci/annotations.hpp, and no others. usage: annotations_test.py ROOT"""
import pathlib
import re
import sys
import unittest

ROOT = pathlib.Path(sys.argv.pop(1) if len(sys.argv) > 1 else ".")
NAME = r"[a-z][a-z0-9.-]*[a-z0-9]"
POD_KEY = re.compile(rf"(?<![\w.])cgtide\.io/({NAME})")
CONTAINER_KEY = re.compile(rf"(?<![\w.])({NAME})\.cgtide\.io/")
ROW = re.compile(rf"^\| `cgtide\.io/({NAME})` \|", re.M)


def known_keys():
    text = (ROOT / "oci/annotations.hpp").read_text()
    body = re.search(r"kKeys\{(.*?)\};", text, re.S).group(1)
    return re.findall(r'"([^"]+)"', body)


class Annotations(unittest.TestCase):
    def setUp(self):
        self.page = (ROOT / "docs/annotations.md").read_text()

    def test_the_table_has_every_key_in_its_order(self):
        table = self.page[: self.page.index("\n## ")]
        self.assertEqual(known_keys(), ROW.findall(table))

    def test_every_key_on_the_page_exists(self):
        named = set(POD_KEY.findall(self.page)) | set(CONTAINER_KEY.findall(self.page))
        self.assertEqual(set(known_keys()), named)

    def test_every_key_of_the_readme_exists(self):
        named = POD_KEY.findall((ROOT / "README.md").read_text())
        self.assertTrue(named)
        self.assertLessEqual(set(named), set(known_keys()))


if __name__ == "__main__":
    unittest.main()
